//! Numbers that nobody guesses.

/// A random word. Without randomness of the system's it is only unlikely to be drawn twice: it is the address of
/// something of the calling thread's.
#[cold]
pub(crate) fn word() -> u64 {
    let mut seed = [0; 8];
    if rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty()).is_err() {
        seed = (&raw const seed as usize as u64).to_ne_bytes();
    }
    u64::from_ne_bytes(seed)
}
