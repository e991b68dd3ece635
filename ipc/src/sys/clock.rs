//! Which core the calling thread runs on.

/// The core that the calling thread runs on, as the hint that travels with messages: its number modulo 255.
/// No system call where the C library has registered restartable sequences or the vDSO answers.
pub(crate) fn core() -> u8 {
    u8::try_from(rustix::thread::sched_getcpu() % usize::from(UNKNOWN_CORE)).unwrap_or(UNKNOWN_CORE)
}

/// The value of a core that is not known.
pub(crate) const UNKNOWN_CORE: u8 = 255;
