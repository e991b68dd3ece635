//! How the two sides of a stream get at the content of a packet.

use super::load::HEADER;
use super::payload::{Payload, sum};
use crate::error::Error;
use portcullis_packet_stream::{Geometry, Guarded, Packet, Received, Sink, Source};
use portcullis_shm::Attachment;

/// A way to write all bytes of a packet, and to read them or the first ones.
pub(crate) trait Access: Sized {
    /// The source of the stream in this memory.
    fn source(memory: Attachment, geometry: Geometry) -> Result<Source<(), Self>, Error>;

    /// The sink of the stream in this memory.
    fn sink(memory: Attachment, geometry: Geometry) -> Result<Sink<(), Self>, Error>;

    /// Writes all bytes.
    fn fill(
        source: &Source<(), Self>,
        packet: &mut Packet,
        payload: &Payload,
        number: usize,
    ) -> Result<(), Error>;

    /// Reads all bytes.
    fn sum(sink: &Sink<(), Self>, packet: &Received<()>) -> Result<u64, Error>;

    /// Reads the header.
    fn sum_of_header(sink: &Sink<(), Self>, packet: &Received<()>) -> Result<u64, Error>;
}

impl Access for Guarded {
    fn source(memory: Attachment, geometry: Geometry) -> Result<Source<()>, Error> {
        Ok(Source::new(memory, geometry)?)
    }

    fn sink(memory: Attachment, geometry: Geometry) -> Result<Sink<()>, Error> {
        Ok(Sink::new(memory, geometry)?)
    }

    #[inline]
    fn fill(source: &Source<()>, packet: &mut Packet, payload: &Payload, number: usize) -> Result<(), Error> {
        let view = source.content(packet)?;
        for (place, part) in payload.parts(number, view.len()) {
            view.view_mut(place, part.len())?.copy_from(part)?;
        }
        Ok(())
    }

    #[inline]
    fn sum(sink: &Sink<()>, packet: &Received<()>) -> Result<u64, Error> {
        let mut total = 0_u64;
        let view = sink.content(packet)?.view();
        view.for_each_line(|_, line| total = total.wrapping_add(sum(line)))?;
        Ok(total)
    }

    #[inline]
    fn sum_of_header(sink: &Sink<()>, packet: &Received<()>) -> Result<u64, Error> {
        Ok(sum(&sink.content(packet)?.view().read::<[u8; HEADER]>(0)?))
    }
}
