//! The clock component: ticks, and signals that it has.
//!
//! It calls nobody. Whether a watcher is busy, is stopped or has ended makes no difference to it.

use super::interface::{Clock, Works};
use crate::failure::Failure;
use crate::task;
use portcullis_entrypoint::{Entrypoint, EntrypointHandle, Error};
use portcullis_ipc::Limits;
use portcullis_rpc::{Capability, Deadline, SignalCapability};
use std::time::{Duration, Instant};

/// Watchers at one time.
pub const MOST_WATCHERS: u32 = 64;

/// The parent holds the clock; each of those whom it hands it to comes by a portal.
const LIMITS: Limits = Limits { rows: 2, contexts: 0, channels: 2 * MOST_WATCHERS, portals: MOST_WATCHERS };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    task::serve(LIMITS, manage, Ticker::look)
}

/// Has an entrypoint manage a clock, which [`serve`] has tick.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Works> {
    entrypoint.manage(Ticker { handle: entrypoint.handle(), ticks: 0, left: None, watchers: Vec::new() })
}

/// Serves, and has the clock tick.
///
/// # Errors
/// As `Entrypoint::run`.
pub fn serve(entrypoint: &Entrypoint, clock: &Capability<dyn Works>) -> Result<(), Error> {
    task::look_after(entrypoint, clock, Ticker::look)
}

struct Ticker {
    handle: EntrypointHandle,
    ticks: u32,
    /// Once it was started.
    left: Option<Left>,
    watchers: Vec<SignalCapability>,
}

/// The ticks that are left.
struct Left {
    ticks: u32,
    next: Instant,
    every: Duration,
}

impl Clock for Ticker {
    fn ticks(&mut self) -> Result<u32, Failure> {
        Ok(self.ticks)
    }

    fn sigh(&mut self, watcher: SignalCapability) -> Result<(), Failure> {
        if self.watchers.len() >= MOST_WATCHERS as usize {
            return Err(Failure::Exhausted);
        }
        // The state may have changed before it could be told.
        watcher.submit();
        self.watchers.push(watcher);
        Ok(())
    }
}

impl Works for Ticker {
    fn start(&mut self, ticks: u32, every: Duration) -> Result<(), Failure> {
        if self.left.is_some() {
            return Err(Failure::Begun);
        }
        self.left = Some(Left { ticks, next: Instant::now(), every });
        self.handle.stop();
        Ok(())
    }
}

impl Ticker {
    /// Ticks, if that is due. Answers when it will be.
    fn look(&mut self) -> Deadline {
        let Some(left) = self.left.as_mut().filter(|left| left.ticks > 0) else { return Deadline::Never };
        let time = left.next.saturating_duration_since(Instant::now());
        if !time.is_zero() {
            return Deadline::After(time);
        }
        (left.ticks, left.next) = (left.ticks - 1, left.next + left.every);
        self.ticks += 1;
        self.watchers.iter().for_each(SignalCapability::submit);
        Deadline::After(Duration::ZERO)
    }
}
