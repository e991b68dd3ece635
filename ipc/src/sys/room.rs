//! Whether this process has room for the descriptors that a message may bring.
#![allow(unsafe_code)]

use rustix::fd::BorrowedFd;
use rustix::process::{Resource, getrlimit};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What must be free before a socket is read: what the longest of our messages brings, and as much again for whoever
/// opens something at that moment.
const SPARE: i32 = 8;
/// From such a limit on, a process may have to do with strangers that nothing confines.
const AMPLE: i32 = 4_096;
/// As many as the kernel passes at once. If there is room for all, it closes none of them in our name: a stranger can send
/// what blocks whoever closes it.
const MOST_PASSED: i32 = 253;
/// How many numbers are looked at as a rule.
const SAMPLES: i32 = 8;

/// How often it is looked for room by those who have none: nobody says when there is some again.
pub(crate) const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What was seen when all numbers that matter were looked at last, and found free.
struct Seen {
    /// The limit then; 0 if they were not free.
    limit: AtomicI32,
    /// The highest number that came with a message since.
    highest: AtomicI32,
    /// How often it was believed since.
    believed: AtomicU32,
}

static SEEN: Seen =
    Seen { limit: AtomicI32::new(0), highest: AtomicI32::new(0), believed: AtomicU32::new(0) };

/// Held by who looks at all.
static LOOK: Mutex<()> = Mutex::new(());

/// How often the lowest of those numbers alone is looked at, before all are looked at again.
const MOST_BELIEVED: u32 = 32;

/// Whether there is room. A process that has only just so many descriptors to spare looks at all of its numbers.
///
/// The kernel gives out the lowest free number, so a free one near the limit says that fewer were ever used. With a
/// low limit eight of them are free for certain; with an ample one, eight for certain and very likely 253.
///
/// All eight are looked at once. As long as the lowest of them is free, none above it is given out; and nobody can have had
/// it given out meanwhile, and be left with others above it, by what he sent: those numbers we would have seen.
pub(crate) fn is_there() -> bool {
    let limit =
        getrlimit(Resource::Nofile).current.map_or(i32::MAX, |limit| limit.try_into().unwrap_or(i32::MAX));
    let wanted = if limit >= AMPLE { MOST_PASSED } else { SPARE };
    if limit < wanted {
        return false;
    }
    if SEEN.still_holds(limit, limit - wanted) && is_free(limit - wanted) {
        return true;
    }
    // One at a time, or who saw them free first might say so last.
    let _turn = LOOK.lock().unwrap_or_else(PoisonError::into_inner);
    // Before they are looked at: what comes meanwhile is seen, or noted.
    SEEN.highest.store(0, Ordering::SeqCst);
    let are_free = (0..SAMPLES).all(|sample| is_free(limit - 1 - sample * (wanted - 1) / (SAMPLES - 1)));
    SEEN.limit.store(if are_free { limit } else { 0 }, Ordering::SeqCst);
    SEEN.believed.store(0, Ordering::Relaxed);
    if are_free {
        return true;
    }
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    (0..limit).rev().filter(|number| is_free(*number)).take(wanted).count() == wanted
}

impl Seen {
    /// Whether those from the lowest on may be believed to be free if that is.
    fn still_holds(&self, limit: i32, lowest: i32) -> bool {
        self.limit.load(Ordering::SeqCst) == limit
            && self.highest.load(Ordering::SeqCst) < lowest
            && self.believed.fetch_add(1, Ordering::Relaxed) < MOST_BELIEVED
    }
}

/// A descriptor came with a message.
pub(crate) fn note(descriptor: &OwnedFd) {
    SEEN.highest.fetch_max(descriptor.as_raw_fd(), Ordering::SeqCst);
}

fn is_free(number: i32) -> bool {
    // SAFETY: borrowed for this call only, which asks the process's own table whether there is such a descriptor (EBADF if
    // not) and touches nothing behind it.
    rustix::io::fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) }).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_holds_little_has_room() {
        assert!(is_there());
        let (file, other) = super::super::socket::pair().unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&file);
        assert!(!is_free(number));
        assert!(is_free(i32::MAX - 1));
        drop((file, other));
    }

    #[test]
    fn what_was_seen_is_believed_under_the_same_limit_until_something_came_so_high() {
        let seen = |limit: i32, highest: i32| Seen {
            limit: limit.into(),
            highest: highest.into(),
            believed: AtomicU32::new(0),
        };
        assert!(seen(100, 91).still_holds(100, 92));
        assert!(
            !seen(100, 92).still_holds(100, 92),
            "it was taken meanwhile, and what lies above may be still"
        );
        assert!(!seen(100, 10).still_holds(99, 91), "the limit is another");
        assert!(!seen(0, 10).still_holds(100, 92), "they were not free");
        let seen = seen(100, 10);
        let times = (0..).take_while(|_| seen.still_holds(100, 92)).count();
        assert_eq!(times, MOST_BELIEVED as usize, "whoever else opened something is found out");
    }
}
