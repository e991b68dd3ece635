//! Sleeping on words that are shared between processes.

use rustix::thread::futex::{self, Flags, Timespec, Wait, WaitFlags, WaitPtr, WaitvFlags};
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Sleeps while each word is what is expected of it, for at most `time`. Returns for any reason at all: look again.
///
/// The words lie in memory shared between processes, so the private flag is not set (futex(2)).
pub(crate) fn wait(words: &[(&AtomicU32, u32)], time: Option<Duration>) {
    // Every failure (changed word, signal, timeout, peer-made nonsense) means the same to the caller: look again.
    if let [(word, expected)] = words {
        let time = time.map(|time| timespec(time, 0));
        let _ = futex::wait(word, Flags::empty(), *expected, time.as_ref());
        return;
    }
    let words: Vec<Wait> = words.iter().map(|(word, expected)| sleeper(word, *expected)).collect();
    let clock = ClockId::Monotonic;
    let end = time.map(|time| {
        let now = clock_gettime(clock);
        let nanos = Duration::from_nanos(now.tv_nsec.try_into().unwrap_or(0));
        timespec(time.saturating_add(nanos), now.tv_sec)
    });
    let _ = futex::waitv(&words, WaitvFlags::empty(), end.as_ref(), clock);
}

fn sleeper(word: &AtomicU32, expected: u32) -> Wait {
    let mut wait = Wait::new();
    wait.val = expected.into();
    wait.uaddr = WaitPtr::new(word.as_ptr().cast());
    wait.flags = WaitFlags::SIZE_U32;
    wait
}

/// So much time from so many seconds on.
fn timespec(time: Duration, seconds: i64) -> Timespec {
    let more = time.as_secs().try_into().unwrap_or(i64::MAX);
    Timespec { tv_sec: seconds.saturating_add(more), tv_nsec: time.subsec_nanos().into() }
}

/// Wakes everybody who sleeps on `word`. Never blocks.
pub(crate) fn wake(word: &AtomicU32) {
    let _ = futex::wake(word, Flags::empty(), i32::MAX.cast_unsigned());
}
