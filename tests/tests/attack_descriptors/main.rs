//! Attacks 41 to 45: descriptors, which are few.

mod at_the_limit;
mod cycles;
mod in_flight;
mod set_aside;
mod slow;
mod too_many;

use portcullis_ipc::{Error, Limits};
use portcullis_tests::host::Host;
use portcullis_tests::villain::town::Town;
use portcullis_tests::watchdog::Watchdog;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a test may take.
const LIMIT: Duration = Duration::from_secs(120);

/// They take what all processes of this user share, and count it; so they run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> (MutexGuard<'static, ()>, Watchdog) {
    (ALONE.lock().unwrap_or_else(PoisonError::into_inner), Watchdog::start(LIMIT))
}

fn town() -> Town {
    Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start")
}

fn peer() -> Result<Host, Error> {
    Host::process(env!("CARGO_BIN_EXE_peer"), Limits::default())
}
