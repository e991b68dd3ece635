//! Which core the calling thread runs on, and how to leave it.

use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};

/// The core that the calling thread runs on, as the hint that travels with messages: its number modulo 255.
/// No system call where the C library has registered restartable sequences or the vDSO answers.
pub(crate) fn core() -> u8 {
    u8::try_from(sched_getcpu() % usize::from(UNKNOWN_CORE)).unwrap_or(UNKNOWN_CORE)
}

/// The value of a core that is not known.
pub(crate) const UNKNOWN_CORE: u8 = 255;

/// Moves the calling thread to another core, if it may run on another. Where it may run stays as it was.
pub(crate) fn leave_core() {
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let mut others = allowed;
    others.unset(sched_getcpu());
    // Refused if no core is left. The kernel moves the thread before the call returns (sched_setaffinity(2)).
    if sched_setaffinity(None, &others).is_ok() {
        let _ = sched_setaffinity(None, &allowed);
    }
}
