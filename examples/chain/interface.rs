//! The interfaces of the components, and what travels through them.

use crate::Failure;
use portcullis_rpc::{Capability, rpc_interface};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Has the object made that the capability leads to.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_entrypoint::Entrypoint;
/// use portcullis_examples::chain::{Origin, Target, origin};
/// use portcullis_ipc::Pd;
///
/// let (to_main, from_origin) = std::sync::mpsc::channel();
/// std::thread::spawn(move || {
///     let entrypoint = Entrypoint::new(&Pd::new()?)?;
///     let _ = to_main.send(origin::manage(&entrypoint));
///     entrypoint.run()
/// });
/// let target = from_origin.recv()?.client().open()?;
/// let answer = target.client().answer()?;
/// assert_eq!((answer.process, answer.calls), (std::process::id(), 1));
/// # Ok(()) }
/// ```
#[rpc_interface]
pub trait Origin {
    /// Makes an object. It lives until nobody holds it any more.
    ///
    /// # Errors
    /// Those of a call.
    fn open(&mut self) -> Result<Capability<dyn Target>, Failure>;

    /// What it holds at the moment.
    ///
    /// # Errors
    /// [`Failure::Uncounted`].
    fn holdings(&mut self) -> Result<Holdings, Failure>;
}

/// The object: whoever holds it may call it.
///
/// See [`Origin`] for an example.
#[rpc_interface]
pub trait Target {
    /// Says where it lives.
    ///
    /// # Errors
    /// Those of a call.
    fn answer(&mut self) -> Result<Answer, Failure>;
}

/// A process that the capability passes through: it holds one at a time, and can hand it on or call its object.
///
/// ```
/// use portcullis_examples::Failure;
/// use portcullis_examples::chain::{Called, Hop, Target};
/// use portcullis_rpc::Capability;
///
/// fn through_two(
///     target: Capability<dyn Target>,
///     first: &mut impl Hop,
///     second: (Capability<dyn Hop>, &mut impl Hop),
/// ) -> Result<Called, Failure> {
///     first.take(target)?;
///     first.pass(second.0)?;
///     second.1.call()
/// }
/// ```
#[rpc_interface]
pub trait Hop {
    /// Takes the capability, and does nothing with it. What it held before it drops.
    ///
    /// # Errors
    /// Those of a call.
    fn take(&mut self, target: Capability<dyn Target>) -> Result<(), Failure>;

    /// Hands the capability on to the next hop, and keeps nothing, even if the next hop does not take it.
    ///
    /// # Errors
    /// [`Failure::Empty`], or what the next hop says.
    fn pass(&mut self, next: Capability<dyn Hop>) -> Result<(), Failure>;

    /// Calls the object.
    ///
    /// # Errors
    /// [`Failure::Empty`], or what the object says.
    fn call(&mut self) -> Result<Called, Failure>;

    /// How many descriptors its process has open.
    ///
    /// # Errors
    /// [`Failure::Uncounted`].
    fn descriptors(&mut self) -> Result<u32, Failure>;
}

/// What the object answers.
///
/// See [`Origin`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The id of the process that the object lives in, as that process says.
    pub process: u32,
    /// How often it was called, by everybody who held it, this call included.
    pub calls: u64,
}

/// What a call of the object came to.
///
/// ```
/// use portcullis_examples::chain::{Answer, Called};
/// use std::time::Duration;
///
/// let called = Called { answer: Answer { process: 4711, calls: 1 }, time: Duration::from_micros(80) };
/// assert!(called.time < Duration::from_millis(1), "it took so long");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// What it answered.
    pub answer: Answer,
    /// How long that took, the way to a process that had no connection to us included.
    pub time: Duration,
}

/// What the origin holds at a moment.
///
/// ```
/// use portcullis_examples::chain::Holdings;
///
/// let holdings = Holdings { descriptors: 9, channels: 1, rows: 1, objects: 2 };
/// assert_eq!(holdings, holdings.clone(), "two of them can be compared");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Open descriptors of its process.
    pub descriptors: u32,
    /// Open channels.
    pub channels: u32,
    /// Rows in the capability tables of all channels.
    pub rows: u32,
    /// Objects, the entrypoint itself and the origin included.
    pub objects: u32,
}
