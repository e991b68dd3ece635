//! Streams of two that trust each other: plain slices.
#![allow(unsafe_code)]

use super::access::Access;
use super::load::HEADER;
use super::payload::{Payload, sum};
use crate::error::Error;
use portcullis_packet_stream::{Geometry, Packet, Received, Sink, Source, Trusting};
use portcullis_shm::Attachment;

impl Access for Trusting {
    fn source(memory: Attachment, geometry: Geometry) -> Result<Source<(), Trusting>, Error> {
        // SAFETY: the only other who has the dataspace is the benchmark's component, this same program, which makes the sink of
        // this stream with the same geometry and nothing else in this part; the benchmark frees it after both sides.
        Ok(unsafe { Source::trusting(memory, geometry) }?)
    }

    fn sink(memory: Attachment, geometry: Geometry) -> Result<Sink<(), Trusting>, Error> {
        // SAFETY: as above; the benchmark has the source, and keeps the dataspace until the component was told to stop.
        Ok(unsafe { Sink::trusting(memory, geometry) }?)
    }

    #[inline]
    fn fill(
        source: &Source<(), Trusting>,
        packet: &mut Packet,
        payload: &Payload,
        number: usize,
    ) -> Result<(), Error> {
        payload.fill(number, source.slice_mut(packet)?);
        Ok(())
    }

    #[inline]
    fn sum(sink: &Sink<(), Trusting>, packet: &Received<()>) -> Result<u64, Error> {
        Ok(sum(sink.slice(packet)?))
    }

    #[inline]
    fn sum_of_header(sink: &Sink<(), Trusting>, packet: &Received<()>) -> Result<u64, Error> {
        let content = sink.slice(packet)?;
        Ok(sum(&content[..HEADER.min(content.len())]))
    }
}
