//! Sleeping on words that are shared between processes.

use portcullis_shm::LifeWord;
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec, Wait, WaitFlags, WaitPtr, WaitvFlags};
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// What is slept on for one stream, and what each is expected to be: the own bell, and the word that a free changes.
pub(crate) struct Sleeper<'a> {
    pub(crate) bell: (&'a AtomicU32, u32),
    pub(crate) life: (LifeWord<'a>, u32),
}

/// How long one sleeps on a single bell at most, where one cannot sleep on the others besides it.
const LOOKS_AT_STREAMS: Duration = Duration::from_millis(1);
const LOOKS_FOR_A_FREE: Duration = Duration::from_millis(100);

/// Sleeps while each word is what is expected of it, for at most `time`. Returns for any reason at all: look again.
///
/// The words lie in memory shared between processes, so the private flag is not set (futex(2)).
pub(crate) fn wait<const N: usize>(streams: &[Sleeper<'_>; N], time: Option<Duration>) {
    let words = streams.each_ref().map(|Sleeper { bell, life }| {
        [word(bell.0.as_ptr().cast_const(), bell.1), word(life.0.as_ptr(), life.1)]
    });
    let clock = ClockId::Monotonic;
    let end = time.map(|time| {
        let now = clock_gettime(clock);
        let nanos = Duration::from_nanos(now.tv_nsec.try_into().unwrap_or(0));
        timespec(time.saturating_add(nanos), now.tv_sec)
    });
    // Every failure (changed word, signal, timeout, peer-made nonsense) means the same to the caller: look again. But for one:
    let refused = futex::waitv(words.as_flattened(), WaitvFlags::empty(), end.as_ref(), clock);
    if let (Err(Errno::NOSYS | Errno::PERM), [Sleeper { bell: (bell, expected), .. }, rest @ ..]) =
        (refused, streams.as_slice())
    {
        // Before Linux 5.16, and where somebody forbids what is so new, one can sleep on a single word. Rather than looking all
        // the time, one looks at all others now and then: seldom if that is but the word of a free.
        let now_and_then = if rest.is_empty() { LOOKS_FOR_A_FREE } else { LOOKS_AT_STREAMS };
        let time = timespec(time.map_or(now_and_then, |time| time.min(now_and_then)), 0);
        let _ = futex::wait(bell, Flags::empty(), *expected, Some(&time));
    }
}

fn word(address: *const u32, expected: u32) -> Wait {
    let mut wait = Wait::new();
    wait.val = expected.into();
    wait.uaddr = WaitPtr::new(address.cast_mut().cast());
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
