//! The other process's side of a block: it reads packets and gives them back.

use super::access::Access;
use super::load::{Load, Through, Way};
use super::payload::sum;
use crate::error::Error;
use crate::floor::Ring;
use crate::idle::Idle;
use portcullis_packet_stream::{Guarded, Received, Sink, Trusting};
use portcullis_shm::ForeignDataspace;

/// Its ends of all that packets go through.
pub(crate) struct Sinks {
    load: Load,
    stream: Kind,
    ring: Ring,
    rare_ring: Ring,
}

enum Kind {
    Guarded(Sink<()>),
    Trusting(Sink<(), Trusting>),
}

impl Sinks {
    pub(crate) fn new(dataspace: &ForeignDataspace, load: Load) -> Result<Sinks, Error> {
        let memory = |through| -> Result<_, Error> { Ok(dataspace.attach(load.window(through)?)?) };
        let ring = |through| Ring::new(memory(through)?, load.shape(through));
        let (in_memory, geometry) = (memory(Through::Stream)?, load.geometry()?);
        let stream = match load.way {
            Way::Trusted => Kind::Trusting(watching(Trusting::sink(in_memory, geometry)?)),
            Way::AllBytes | Way::Header => Kind::Guarded(watching(Guarded::sink(in_memory, geometry)?)),
        };
        Ok(Sinks { load, stream, ring: ring(Through::Ring)?, rare_ring: ring(Through::RareRing)? })
    }

    /// Takes so many packets; answers what it has read, summed up.
    pub(crate) fn take(
        &mut self,
        through: Through,
        packets: usize,
        go_on: impl FnMut() -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let load = self.load;
        match (through, &mut self.stream) {
            (Through::Ring, _) => from_ring(&mut self.ring, load, packets, go_on),
            (Through::RareRing, _) => from_ring(&mut self.rare_ring, load, packets, go_on),
            (Through::Stream, Kind::Trusting(sink)) => from_stream(sink, load, packets, go_on, Trusting::sum),
            (Through::Stream, Kind::Guarded(sink)) if load.way == Way::Header => {
                from_stream(sink, load, packets, go_on, Guarded::sum_of_header)
            }
            (Through::Stream, Kind::Guarded(sink)) => from_stream(sink, load, packets, go_on, Guarded::sum),
        }
    }
}

fn watching<T>(mut sink: Sink<(), T>) -> Sink<(), T> {
    sink.watch();
    sink
}

fn from_stream<T>(
    sink: &mut Sink<(), T>,
    load: Load,
    packets: usize,
    go_on: impl FnMut() -> Result<(), Error>,
    read: impl Fn(&Sink<(), T>, &Received<()>) -> Result<u64, Error>,
) -> Result<u64, Error> {
    let mut idle = Idle::new(go_on);
    let (mut taken, mut total) = (0, 0_u64);
    while taken < packets {
        let before = taken;
        for _ in 0..load.batch() {
            let Some(packet) = sink.try_get()? else { break };
            total = total.wrapping_add(read(sink, &packet)?);
            sink.try_acknowledge(packet, ()).map_err(|unacknowledged| unacknowledged.reason)?;
            taken += 1;
        }
        sink.wakeup()?;
        if taken == before { idle.look()? } else { idle.found() }
    }
    Ok(total)
}

fn from_ring(
    ring: &mut Ring,
    load: Load,
    packets: usize,
    go_on: impl FnMut() -> Result<(), Error>,
) -> Result<u64, Error> {
    let (mut total, read) = (0_u64, load.read());
    ring.take(packets, |slot| total = total.wrapping_add(sum(&slot[..read])), go_on)?;
    Ok(total)
}
