//! An entrypoint to be tested, on a thread of this process or in a process of its own.

mod objects;
mod sieve;

pub use sieve::{Passed, Sieve, Tree};

use portcullis_entrypoint::Entrypoint;
use portcullis_rpc::{Capability, Error, Later, rpc_interface};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One that runs.
pub type Host = crate::place::Host<dyn Workshop>;

/// Has an entrypoint manage its first object.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Workshop> {
    entrypoint.manage(objects::Master::new(entrypoint))
}

/// What a switch is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Position {
    /// To the left.
    Left,
    /// To the right.
    Right,
}

/// An object with a number.
#[rpc_interface]
pub trait Counter {
    /// Adds, and answers the sum.
    fn add(&mut self, amount: u64) -> Result<u64, Error>;
    /// The number under which it was made.
    fn number(&mut self) -> Result<u64, Error>;
    /// The thread that serves it.
    fn thread(&mut self) -> Result<String, Error>;
    /// Ends it.
    fn end(&mut self) -> Result<(), Error>;
}

/// A counter that can begin anew.
#[rpc_interface]
pub trait Gauge: Counter {
    /// Begins anew; what it had counted.
    fn reset(&mut self) -> Result<u64, Error>;
}

/// Why a switch cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum SwitchError {
    /// It is there already.
    #[error("the switch is {0:?} already")]
    Already(Position),
    /// The call brought no answer.
    #[error(transparent)]
    Rpc(#[from] Error),
}

/// An object of another type.
#[rpc_interface]
pub trait Switch {
    /// Sets it, and answers how it was.
    fn set(&mut self, position: Position) -> Result<Position, SwitchError>;
    /// Locks it or not.
    fn lock(&mut self, locked: bool) -> Result<(), SwitchError>;
    /// Position and lock.
    fn state(&mut self) -> Result<(Position, bool), SwitchError>;
}

/// What an entrypoint holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Its process.
    pub process: u32,
    /// Objects, the entrypoint itself included.
    pub objects: u32,
    /// Rows that clients hold.
    pub rows: u32,
    /// Notices that nobody holds a counted object any more.
    pub unreferenced: u64,
    /// Calls that wait for their answer.
    pub waiting: u64,
    /// Objects that were dropped.
    pub drops: u64,
    /// Objects that were dropped while a handler ran.
    pub drops_inside: u64,
}

/// How far calls from one to the next came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Journey {
    /// As far as they should.
    Arrived,
    /// The next would have been one that waits.
    Cycle {
        /// Stations that were not reached.
        left: u64,
        /// When that was found out, after the call.
        after: Duration,
    },
}

/// The first object: it makes others, and does to them and to itself what an object may do from within a method.
#[rpc_interface]
pub trait Workshop {
    /// What the entrypoint holds.
    fn holdings(&mut self) -> Result<Holdings, Error>;
    /// A new counter with that number.
    fn counter(&mut self, number: u64) -> Result<Capability<dyn Counter>, Error>;
    /// A new counter that ends when nobody holds it any more, and then answers whoever waits with its number.
    fn counted(&mut self, number: u64) -> Result<Capability<dyn Counter>, Error>;
    /// So many counters that stay here, numbered from 0, and the last of them.
    fn counters(&mut self, count: u64) -> Result<Option<Capability<dyn Counter>>, Error>;
    /// A new switch.
    fn switch(&mut self) -> Result<Capability<dyn Switch>, Error>;
    /// Keeps a counter, of this entrypoint or of another.
    fn keep(&mut self, counter: Capability<dyn Counter>) -> Result<(), Error>;
    /// Calls the kept counter; `None` if there is none.
    fn add_to_kept(&mut self, amount: u64) -> Result<Option<u64>, Error>;
    /// Gives the kept counter away.
    fn give(&mut self) -> Result<Option<Capability<dyn Counter>>, Error>;
    /// Adds to a counter of this entrypoint that came home, without a call.
    fn apply(&mut self, counter: Capability<dyn Counter>, amount: u64) -> Result<u64, Error>;
    /// Whether `apply` on the object itself, which is passed, is refused as busy.
    fn apply_to_itself(&mut self, itself: Capability<dyn Workshop>) -> Result<bool, Error>;
    /// Dissolves a counter of this entrypoint; answers whether it was one.
    fn dissolve(&mut self, counter: Capability<dyn Counter>) -> Result<bool, Error>;
    /// Panics.
    fn panic(&mut self) -> Result<(), Error>;
    /// Answers when told to.
    fn wait(&mut self) -> Later<Result<u64, Error>>;
    /// Answers whoever waits; how many they were.
    fn answer(&mut self, with: u64) -> Result<u64, Error>;
    /// Drops whoever waits: they are told. Answers how many they were.
    fn abandon(&mut self) -> Result<u64, Error>;
    /// Lends a counter, which can be taken back.
    fn lend(&mut self, counter: Capability<dyn Counter>) -> Result<Capability<dyn Counter>, Error>;
    /// Takes back all that was lent.
    fn take_back(&mut self) -> Result<(), Error>;
    /// Calls the first of the stations, which calls the next, and so on.
    fn travel(&mut self, stations: Vec<Capability<dyn Workshop>>) -> Result<Journey, Error>;
    /// Waits at the gate for its answer, then calls the partner.
    fn meet(
        &mut self,
        gate: Capability<dyn Workshop>,
        partner: Capability<dyn Workshop>,
    ) -> Result<Journey, Error>;
    /// How many journeys came this far.
    fn visits(&mut self) -> Result<u64, Error>;
    /// A new gauge with that number.
    fn gauge(&mut self, number: u64) -> Result<Capability<dyn Gauge>, Error>;
    /// A new sieve.
    fn sieve(&mut self) -> Result<Capability<dyn Sieve>, Error>;
}
