//! The interfaces of a component: what the benchmark measures, and what it asks for besides.

use crate::floor::{Part, Waiting};
use crate::stream::{Load, Through};
use portcullis_ipc::MAX_DATA;
use portcullis_rpc::{Capability, DataspaceCapability, Error, SignalCapability, WireSize, rpc_interface};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What most cases measure.
#[rpc_interface]
pub(crate) trait Echo {
    /// Sends the bytes back.
    fn echo(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error>;
}

/// Makes objects.
#[rpc_interface]
pub(crate) trait Factory {
    /// One that does not live long: its client drops it at once.
    fn short_lived(&mut self) -> Result<Capability<dyn Echo>, Error>;

    /// One that lives for as long as somebody holds it.
    fn session(&mut self) -> Result<Capability<dyn Echo>, Error>;

    /// Four that stay.
    fn four(&mut self) -> Result<[Capability<dyn Echo>; 4], Error>;
}

/// One who gets objects of others, and keeps none unless he is told to.
#[rpc_interface]
pub(crate) trait Guest {
    /// Calls the object once.
    fn call(&mut self, object: Capability<dyn Echo>) -> Result<(), Error>;

    /// Does nothing with the object.
    fn take(&mut self, object: Capability<dyn Echo>) -> Result<(), Error>;

    /// Keeps the object, once he could call it.
    fn keep(&mut self, object: Capability<dyn Echo>) -> Result<(), Error>;

    /// Drops so many of those that he keeps.
    fn let_go(&mut self, count: usize) -> Result<(), Error>;
}

/// One of many clients of another component.
#[rpc_interface]
pub(crate) trait Worker {
    /// Takes what it is to call, and calls it for the first time, which connects the two.
    fn aim(&mut self, target: Capability<dyn Echo>) -> Result<(), Error>;

    /// Answers, waits until the gate leaves that state, then calls its target for so long.
    fn run(&mut self, gate: u32, duration: Duration) -> Result<(), Error>;

    /// What the last run came to, once it is over.
    fn outcome(&mut self) -> Result<Outcome, Error>;

    /// Times of the last run from a place on, as many as fit: nanoseconds, and how many calls took so long.
    fn times(&mut self, from: usize) -> Result<Vec<(u64, u64)>, Error>;
}

/// One who takes packets.
#[rpc_interface]
pub(crate) trait Receiver {
    /// Answers, then takes so many packets: a block.
    fn take(&mut self, through: Through, packets: usize) -> Result<(), Error>;

    /// What it has read in the last block, summed up.
    fn sum(&mut self) -> Result<u64, Error>;
}

/// Times that fit into a message, whatever they are, beside what says that all went well and how many there are.
pub(crate) const TIMES: usize = (MAX_DATA - 1 - usize::BYTES) / <(u64, u64)>::BYTES;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) calls: u64,
    /// In nanoseconds.
    pub(crate) cpu_time: u64,
    /// How many times there are to ask for.
    pub(crate) times: usize,
}

/// The component itself: its first object.
#[rpc_interface]
pub(crate) trait Component {
    /// Its other objects.
    fn objects(&mut self) -> Result<Objects, Error>;

    /// A new object without an interface, served on a thread of its own by the untyped layer alone: it sends back each
    /// message as it is. It runs where the component does now.
    fn untyped(&mut self) -> Result<Capability<()>, Error>;

    /// Has it run on one core, or on all.
    fn bind(&mut self, core: Option<usize>) -> Result<(), Error>;

    /// The CPU time that it has used so far, in nanoseconds.
    fn cpu_time(&mut self) -> Result<u64, Error>;

    /// Answers, then serves the floor's ping-pong with a payload of so many bytes.
    fn floor(&mut self, waiting: Waiting, bytes: usize) -> Result<(), Error>;

    /// Answers, then plays a part by hand.
    fn by_hand(&mut self, part: Part) -> Result<(), Error>;

    /// A new signal context, whose handler counts and submits to the other one, if there is one.
    fn bell(&mut self, answer: Option<SignalCapability>) -> Result<SignalCapability, Error>;

    /// How often handlers of signals have run.
    fn runs(&mut self) -> Result<u64, Error>;

    /// Answers, then takes the floor's signals.
    fn take_by_hand(&mut self) -> Result<(), Error>;

    /// A new object at the other end of the streams and rings in this dataspace.
    fn receiver(
        &mut self,
        dataspace: DataspaceCapability,
        load: Load,
    ) -> Result<Capability<dyn Receiver>, Error>;

    /// What it holds at the moment.
    fn holdings(&mut self) -> Result<Holdings, Error>;
}

/// What a process holds at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holdings {
    /// Open descriptors.
    pub(crate) descriptors: u32,
    /// Rows in its capability tables: objects of its own that others hold.
    pub(crate) rows: u32,
    /// Objects, whoever holds them.
    pub(crate) objects: u32,
}

/// The objects of a component.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Objects {
    pub(crate) echo: Capability<dyn Echo>,
    pub(crate) factory: Capability<dyn Factory>,
    pub(crate) guest: Capability<dyn Guest>,
    pub(crate) worker: Capability<dyn Worker>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_ipc::MsgBuf;
    use portcullis_rpc::codec::encode;

    #[test]
    fn as_many_times_as_are_sent_fit_however_large_they_are() {
        let times: Result<_, Error> = Ok(vec![(u64::MAX, u64::MAX); TIMES]);
        assert_eq!(encode(&times, &mut MsgBuf::new()), Ok(()));
    }
}
