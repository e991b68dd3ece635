//! What the kernel gives to the protocols: a bell that is heard even if it rang before, and a futex. And what an executor
//! gives.

use crate::sync::{AtomicU64, Condvar, Mutex, Ordering};
use crate::wire::head;
use std::sync::Arc;
use std::task::{Wake, Waker};

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

/// A task's executor that runs nothing else: sleeps until the task is woken.
#[derive(Clone, Default)]
pub(crate) struct Executor(Arc<Woken>);

#[derive(Default)]
struct Woken(Bell);

impl Executor {
    pub(crate) fn waker(&self) -> Waker {
        self.0.clone().into()
    }

    /// Sleeps until the task was woken since the last sleep.
    pub(crate) fn sleep(&self) {
        self.0.0.sleep();
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.ring();
    }
}
