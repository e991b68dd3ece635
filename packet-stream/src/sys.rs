//! Sleeping on words that are shared between processes.

use rustix::thread::futex::{self, Flags, Timespec};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: time.subsec_nanos().into() }
}

/// Sleeps while `word` is `expected`, for at most `time`. Returns for any reason at all: look again.
///
/// The word lies in memory shared between processes, so the private flag is not set (futex(2)).
pub(crate) fn wait(word: &AtomicU32, expected: u32, time: Option<Duration>) {
    // Every failure (changed word, signal, timeout, peer-made nonsense) means the same to the caller: look again.
    let _ = futex::wait(word, Flags::empty(), expected, time.map(timespec).as_ref());
}

/// Wakes everybody who sleeps on `word`. Never blocks.
pub(crate) fn wake(word: &AtomicU32) {
    let _ = futex::wake(word, Flags::empty(), i32::MAX.cast_unsigned());
}
