//! This process's side of a block: it fills packets and sends them off.

use super::access::Access;
use super::load::{Load, Through};
use super::payload::Payload;
use crate::alternation::Side;
use crate::component::interface::Receiver;
use crate::error::Error;
use crate::floor::Ring;
use crate::idle::{Idle, patience};
use portcullis_packet_stream::Source;
use portcullis_rpc::Capability;
use portcullis_shm::Attachment;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long a block is to be.
const BLOCK: Duration = Duration::from_millis(10);
/// So many blocks, of which the fastest says how many packets that is.
const TRIALS: u32 = 5;

/// What goes through, and to whom.
pub(super) struct Setting {
    load: Load,
    payload: Payload,
    receiver: Capability<dyn Receiver>,
    /// The packets of a block, and what the receiver must find in them.
    block: Cell<(usize, u64)>,
}

impl Setting {
    pub(super) fn new(load: Load, receiver: Capability<dyn Receiver>) -> Setting {
        let setting = Setting { load, payload: Payload::new(), receiver, block: Cell::default() };
        setting.set_packets(load.trial());
        setting
    }

    fn set_packets(&self, packets: usize) {
        self.block.set((packets, self.payload.sum(packets, self.load.read())));
    }

    /// The packets of a block.
    pub(super) fn packets(&self) -> usize {
        self.block.get().0
    }

    /// Finds out how many packets go through in the time of a block if nothing disturbs it. That many have a block from now on,
    /// whatever they go through. Answers how long one takes on the average: longer on a busy machine.
    pub(super) fn calibrate(&self, side: &mut impl Side) -> Result<Duration, Error> {
        let (mut shortest, mut all) = (Duration::MAX, Duration::ZERO);
        for _ in 0..TRIALS {
            side.enter()?;
            let begin = Instant::now();
            side.operate()?;
            let time = begin.elapsed();
            shortest = shortest.min(time);
            all += time;
            side.leave()?;
        }
        let packets = self.packets() as u128 * BLOCK.as_nanos() / shortest.as_nanos().max(1);
        self.set_packets(usize::try_from(packets).unwrap_or(usize::MAX).max(1));
        Ok(BLOCK.mul_f64(all.as_secs_f64() / f64::from(TRIALS) / shortest.as_secs_f64().max(1e-9)))
    }

    fn begin(&self, through: Through) -> Result<(), Error> {
        Ok(self.receiver.client().take(through, self.packets())?)
    }

    /// Whether everything came as it was sent.
    fn end(&self) -> Result<(), Error> {
        if self.receiver.client().sum()? == self.block.get().1 {
            Ok(())
        } else {
            Err(Error::Misunderstood("the content of packets"))
        }
    }
}

/// A block through the stream.
pub(super) struct Stream<'a, T> {
    source: Source<(), T>,
    setting: &'a Setting,
}

impl<'a, T: Access> Stream<'a, T> {
    pub(super) fn new(memory: Attachment, setting: &'a Setting) -> Result<Self, Error> {
        let mut source = T::source(memory, setting.load.geometry()?)?;
        source.watch();
        Ok(Stream { source, setting })
    }
}

impl<T: Access> Side for Stream<'_, T> {
    fn enter(&mut self) -> Result<(), Error> {
        self.setting.begin(Through::Stream)
    }

    fn operate(&mut self) -> Result<(), Error> {
        let (source, Setting { load, payload, .. }) = (&mut self.source, self.setting);
        let (packets, size, batch) = (self.setting.packets(), load.size(), load.batch());
        let mut idle = Idle::new(patience());
        let (mut submitted, mut back) = (0, 0);
        while back < packets {
            let before = submitted + back;
            let room = usize::try_from(source.room()?).unwrap_or(usize::MAX);
            for _ in 0..room.min(batch).min(packets - submitted) {
                let Ok(mut packet) = source.alloc(size) else { break };
                T::fill(source, &mut packet, payload, submitted)?;
                source.try_submit(packet, ()).map_err(|unsubmitted| unsubmitted.reason)?;
                submitted += 1;
            }
            source.wakeup()?;
            while let Some(acknowledged) = source.try_acknowledged()? {
                source.release(acknowledged.packet);
                back += 1;
            }
            if submitted + back == before { idle.look()? } else { idle.found() }
        }
        Ok(source.wakeup()?)
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.setting.end()
    }
}

/// A block through a ring.
pub(super) struct Slots<'a> {
    ring: Ring,
    through: Through,
    setting: &'a Setting,
}

impl<'a> Slots<'a> {
    pub(super) fn new(memory: Attachment, through: Through, setting: &'a Setting) -> Result<Self, Error> {
        Ok(Slots { ring: Ring::new(memory, setting.load.shape(through))?, through, setting })
    }
}

impl Side for Slots<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        self.setting.begin(self.through)
    }

    fn operate(&mut self) -> Result<(), Error> {
        let payload = &self.setting.payload;
        self.ring.put(self.setting.packets(), |number, slot| payload.fill(number, slot), patience())
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.setting.end()
    }
}
