//! A bit that one side sets, and the other one takes.

use super::memory::{Memory, Slot};
use crate::error::Error;
use std::sync::atomic::Ordering;

const SIGNAL: u32 = 1;
const STOP: u32 = 2;

/// Sets the bit; whether or not it is taken meanwhile.
#[inline]
pub(crate) fn set_signal(memory: &Memory) {
    std::hint::black_box(memory.word(Slot::Request).fetch_or(SIGNAL, Ordering::AcqRel));
}

/// Whoever takes signals stops, and leaves nothing behind.
pub(crate) fn end_signals(memory: &Memory) {
    memory.word(Slot::Request).fetch_or(STOP, Ordering::Release);
}

/// Takes the bit whenever it is set, until told to stop, or `go_on` fails.
pub(crate) fn take_signals(
    memory: &Memory,
    mut go_on: impl FnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    /// Turns between two looks at whether anybody is still there.
    const TURNS: u32 = 1 << 20;
    let word = memory.word(Slot::Request);
    loop {
        for _ in 0..TURNS {
            if word.load(Ordering::Relaxed) == 0 {
                std::hint::spin_loop();
            } else if word.swap(0, Ordering::AcqRel) & STOP != 0 {
                return Ok(());
            }
        }
        go_on()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_taken_until_the_end() {
        let (memory, _file) = Memory::new().unwrap();
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| take_signals(&memory, || Ok(())));
            (0..1_000).for_each(|_| set_signal(&memory));
            end_signals(&memory);
            assert!(taker.join().unwrap().is_ok());
        });
        assert_eq!(memory.word(Slot::Request).load(Ordering::Relaxed), 0);
    }
}
