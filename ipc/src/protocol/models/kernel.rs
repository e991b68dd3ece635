//! What the kernel gives to the protocols: a bell that is heard even if it rang before, and a futex.

use crate::sync::{AtomicU64, Condvar, Mutex, Ordering};
use crate::wire::head;

/// A pipe, socket or event counter in an epoll set.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.heard.notify_all();
    }

    /// Sleeps until it has rung since the last sleep.
    pub(crate) fn sleep(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.heard.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// The queue of those who sleep on one word (futex(2)): the comparison and the falling asleep are one step for whoever
/// wakes.
#[derive(Default)]
pub(crate) struct Futex {
    wakes: Mutex<u64>,
    woken: Condvar,
}

impl Futex {
    /// Sleeps until woken, if the low half of the word is `expected`.
    pub(crate) fn wait(&self, word: &AtomicU64, expected: u32) {
        let mut wakes = self.wakes.lock().unwrap();
        if head::sequence(word.load(Ordering::Relaxed)) != expected {
            return;
        }
        let before = *wakes;
        while *wakes == before {
            wakes = self.woken.wait(wakes).unwrap();
        }
    }

    pub(crate) fn wake(&self) {
        *self.wakes.lock().unwrap() += 1;
        self.woken.notify_all();
    }
}
