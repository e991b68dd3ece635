//! Whether this process has room for the descriptors that a message may bring.
#![allow(unsafe_code)]

use rustix::fd::BorrowedFd;
use rustix::process::{Resource, getrlimit};
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

/// Whether there is room. A process that has only just so many descriptors to spare looks at all of its numbers.
///
/// The kernel gives out the lowest free number, so a free one near the limit says that fewer were ever used. With a
/// low limit eight of them are free for certain; with an ample one, eight for certain and very likely 253.
pub(crate) fn is_there() -> bool {
    let limit =
        getrlimit(Resource::Nofile).current.map_or(i32::MAX, |limit| limit.try_into().unwrap_or(i32::MAX));
    let wanted = if limit >= AMPLE { MOST_PASSED } else { SPARE };
    if limit < wanted {
        return false;
    }
    if (0..SAMPLES).all(|sample| is_free(limit - 1 - sample * (wanted - 1) / (SAMPLES - 1))) {
        return true;
    }
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    (0..limit).rev().filter(|number| is_free(*number)).take(wanted).count() == wanted
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
}
