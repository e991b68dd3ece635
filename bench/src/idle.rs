//! Looks that find nothing, until the other side is found to be gone.

use crate::error::Error;
use std::time::{Duration, Instant};

/// So many looks in a row, some microseconds, and the other side may well be waiting for this core.
const LOOKS: u32 = 1 << 12;
/// So many times is the core given away between two questions whether to go on.
const YIELDS: u32 = 1 << 4;
/// How long the benchmark waits for a process that does nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Counts the looks in a row of a loop that waits by looking. Gives the core away after many, and asks now and then whether to
/// go on.
pub(crate) struct Idle<F> {
    looks: u32,
    go_on: F,
}

impl<F: FnMut() -> Result<(), Error>> Idle<F> {
    pub(crate) fn new(go_on: F) -> Idle<F> {
        Idle { looks: 0, go_on }
    }

    /// Once more there was nothing.
    #[inline]
    pub(crate) fn look(&mut self) -> Result<(), Error> {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(LOOKS) { self.pause() } else { Ok(()) }
    }

    /// There was something.
    #[inline]
    pub(crate) fn found(&mut self) {
        self.looks = 0;
    }

    #[cold]
    fn pause(&mut self) -> Result<(), Error> {
        std::thread::yield_now();
        if self.looks.is_multiple_of(LOOKS * YIELDS) { (self.go_on)() } else { Ok(()) }
    }
}

/// Says to go on, until it was asked for long enough.
pub(crate) fn patience() -> impl FnMut() -> Result<(), Error> {
    let mut began = None;
    move || {
        if began.get_or_insert_with(Instant::now).elapsed() < PATIENCE {
            Ok(())
        } else {
            Err(Error::Stalled { seconds: PATIENCE.as_secs() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_for_long_is_asked_whether_to_go_on() {
        let mut asked = 0;
        let mut idle = Idle::new(|| {
            asked += 1;
            if asked < 3 { Ok(()) } else { Err(Error::Stalled { seconds: 0 }) }
        });
        idle.look().unwrap();
        idle.found();
        let looks = std::iter::from_fn(|| idle.look().ok()).count();
        assert_eq!(looks, 3 * (LOOKS * YIELDS) as usize - 1);
    }
}
