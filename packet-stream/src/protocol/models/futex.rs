//! The queue of those who sleep on one word (futex(2)): the comparison and the falling asleep are one step for whoever
//! wakes.

use crate::sync::{AtomicU32, Ordering};
use loom::sync::{Condvar, Mutex};

#[derive(Default)]
pub(super) struct Futex {
    wakes: Mutex<u64>,
    woken: Condvar,
}

impl Futex {
    /// Sleeps until woken, if the word is `expected`.
    pub(super) fn wait(&self, word: &AtomicU32, expected: u32) {
        let mut wakes = self.wakes.lock().unwrap();
        if word.load(Ordering::Relaxed) != expected {
            return;
        }
        let before = *wakes;
        while *wakes == before {
            wakes = self.woken.wait(wakes).unwrap();
        }
    }

    pub(super) fn wake(&self) {
        *self.wakes.lock().unwrap() += 1;
        self.woken.notify_all();
    }
}
