//! Ends a test that hangs.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Aborts the process unless it is dropped in time. A hanging test is a failed test, and must not look like a slow
/// one.
#[derive(Debug)]
pub struct Watchdog(#[expect(dead_code, reason = "its drop is what counts")] Sender<()>);

impl Watchdog {
    /// Watches from now on, for so long.
    #[must_use]
    pub fn start(limit: Duration) -> Watchdog {
        let (alive, dropped) = channel::<()>();
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        std::thread::spawn(move || {
            if dropped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{test} hangs: aborted after {limit:?}");
                std::process::abort();
            }
        });
        Watchdog(alive)
    }
}
