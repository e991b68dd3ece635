//! The interfaces of the components, and what travels through them.

use crate::Failure;
use portcullis_rpc::{Capability, SignalCapability, rpc_interface};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A state that changes, and whoever is told that it has.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_entrypoint::{Entrypoint, SignalReceiver};
/// use portcullis_examples::ticker::{Clock, Works, clock};
/// use portcullis_ipc::{Deadline, Pd};
/// use std::time::Duration;
///
/// let (to_main, from_clock) = std::sync::mpsc::channel();
/// std::thread::spawn(move || {
///     let entrypoint = Entrypoint::new(&Pd::new()?)?;
///     let works = clock::manage(&entrypoint);
///     let _ = to_main.send(works.clone());
///     clock::serve(&entrypoint, &works)
/// });
/// let mut works = from_clock.recv()?.client();
/// let mut receiver = SignalReceiver::new(&Pd::new()?)?;
/// works.sigh(receiver.manage()?.1)?;
/// works.start(3, Duration::from_millis(1))?;
/// while works.ticks()? < 3 {
///     receiver.wait(Deadline::Never)?;
/// }
/// # Ok(()) }
/// ```
#[rpc_interface(name = "ticker.clock")]
pub trait Clock {
    /// How often it has ticked.
    ///
    /// # Errors
    /// Those of a call.
    fn ticks(&mut self) -> Result<u32, Failure>;

    /// Has it submit a signal here whenever it has ticked, and now.
    ///
    /// # Errors
    /// [`Failure::Exhausted`] if it has as many watchers as it can.
    fn sigh(&mut self, watcher: SignalCapability) -> Result<(), Failure>;
}

/// The works of a clock, for whoever sets it going.
///
/// See [`Clock`] for an example.
#[rpc_interface(name = "ticker.works")]
pub trait Works: Clock {
    /// Begins to tick, so many times, with so much time between.
    ///
    /// # Errors
    /// [`Failure::Begun`] the second time.
    fn start(&mut self, ticks: u32, every: Duration) -> Result<(), Failure>;
}

/// The watcher component: fetches the state of a clock whenever it is told that it has changed.
///
/// ```
/// use portcullis_examples::Failure;
/// use portcullis_examples::ticker::{Clock, Watcher, Works};
/// use portcullis_rpc::Capability;
/// use std::time::Duration;
///
/// fn watch(clock: &Capability<dyn Works>, watcher: &mut impl Watcher) -> Result<u32, Failure> {
///     watcher.watch(clock.clone().upcast(), Duration::from_millis(20))?;
///     clock.client().start(10, Duration::from_millis(5))?;
///     Ok(watcher.seen()?.runs)
/// }
/// ```
#[rpc_interface(name = "ticker.watcher")]
pub trait Watcher {
    /// Begins to watch a clock. Each time it has looked at it, it is busy for so long with something else.
    ///
    /// # Errors
    /// [`Failure::Begun`] the second time, and what the clock answers.
    fn watch(&mut self, clock: Capability<dyn Clock>, busy: Duration) -> Result<(), Failure>;

    /// What it has seen so far.
    ///
    /// # Errors
    /// What the clock has answered to a look, if that failed.
    fn seen(&mut self) -> Result<Seen, Failure>;
}

/// What a watcher has seen.
///
/// ```
/// use portcullis_examples::ticker::Seen;
///
/// let seen = Seen { ticks: 10, runs: 4 };
/// assert!(seen.runs < seen.ticks, "it was told of several ticks at once");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The state of the clock when it last looked.
    pub ticks: u32,
    /// How often its handler ran.
    pub runs: u32,
}
