//! An entrypoint with towers, whose bells are signal contexts, on a thread of this process or in a process of its own.

mod towers;

use portcullis_entrypoint::Entrypoint;
use portcullis_rpc::{Capability, Error, SignalCapability, rpc_interface};
use serde::{Deserialize, Serialize};

/// One that runs.
pub type Host = crate::place::Host<dyn Station>;

/// Has an entrypoint manage its first object.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Station> {
    entrypoint.manage(towers::Master::new(entrypoint))
}

/// What a bell's handler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Nothing but note that it ran.
    Note,
    /// Works for so many microseconds.
    Work(u32),
    /// Panics.
    Panic,
    /// Dissolves its own context.
    EndBell,
    /// Dissolves its own tower.
    EndTower,
    /// Submits to what the station keeps under that number.
    Submit(u32),
    /// Waits for so many signals for I/O, and lends its tower.
    Wait(u32),
    /// Submits to itself and waits for that, until so many handlers run within each other.
    Dive(u32),
    /// Stops the process.
    Hang,
}

/// One run of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// The bell's number.
    pub bell: u32,
    /// How many handlers it ran within.
    pub depth: u32,
}

/// What a station holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Its process.
    pub process: u32,
    /// Objects, the entrypoint itself included.
    pub objects: u32,
    /// Signal contexts.
    pub contexts: u32,
    /// Channels.
    pub channels: u32,
    /// Rows that clients hold.
    pub rows: u32,
    /// Channels that were closed for a violation.
    pub violations: u64,
    /// Towers that were dropped, and how many of them while a handler ran.
    pub drops: (u32, u32),
    /// Handlers of signals that have run.
    pub runs: u64,
}

/// The first object.
#[rpc_interface]
pub trait Station {
    /// A new tower.
    fn tower(&mut self) -> Result<Capability<dyn Tower>, Error>;
    /// Ends a tower; whether it was one.
    fn end_tower(&mut self, tower: Capability<dyn Tower>) -> Result<bool, Error>;
    /// Ends a context; whether it was one.
    fn end_bell(&mut self, bell: SignalCapability) -> Result<bool, Error>;
    /// A bell that hangs in no tower.
    fn lone_bell(&mut self, bell: u32, io: bool, task: Task) -> Result<SignalCapability, Error>;
    /// The runs since this was last asked, in order: 100 of them at most, and rather those within others than the rest.
    fn rings(&mut self) -> Result<Vec<Ring>, Error>;
    /// How often the handler of that bell has run.
    fn count(&mut self, bell: u32) -> Result<u64, Error>;
    /// What it holds.
    fn holdings(&mut self) -> Result<Holdings, Error>;
    /// Keeps contexts, and answers the number of the first.
    fn keep(&mut self, contexts: Vec<SignalCapability>) -> Result<u32, Error>;
    /// Gives a kept context away.
    fn give(&mut self, number: u32) -> Result<Option<SignalCapability>, Error>;
    /// Drops what is kept under that number.
    fn lose(&mut self, number: u32) -> Result<(), Error>;
    /// Submits to a kept context, so many times, from within this method.
    fn submit(&mut self, number: u32, times: u32) -> Result<(), Error>;
    /// Submits to a kept context so many times, from so many threads at once, and waits until it is done.
    fn storm(&mut self, number: u32, times: u32, threads: u32) -> Result<(), Error>;
    /// Works for so many microseconds.
    fn work(&mut self, micros: u32) -> Result<(), Error>;
    /// Waits, for at most so many milliseconds, until the number that it keeps has been raised by a signal for I/O;
    /// answers it.
    fn await_ready(&mut self, millis: u32) -> Result<u32, Error>;
    /// The context of that signal.
    fn ready_signal(&mut self) -> Result<SignalCapability, Error>;
    /// Stops the process, without an answer until it goes on.
    fn hang(&mut self) -> Result<(), Error>;
}

/// A tower.
#[rpc_interface]
pub trait Tower {
    /// A new bell: a context whose handler is bound to the tower.
    fn bell(&mut self, bell: u32, io: bool, task: Task) -> Result<SignalCapability, Error>;
    /// How often bells of the tower rang.
    fn rings(&mut self) -> Result<u64, Error>;
    /// Waits, for at most so many milliseconds, until bells of the tower have rung so often while it waits; how often
    /// they have.
    fn listen(&mut self, rings: u32, millis: u32) -> Result<u32, Error>;
    /// Asks another tower of the same station to listen, without a call; lends nothing meanwhile.
    fn have_listen(&mut self, tower: Capability<dyn Tower>, rings: u32, millis: u32) -> Result<u32, Error>;
    /// Lends something else than itself; whether that was refused.
    fn lend_other(&mut self) -> Result<bool, Error>;
}
