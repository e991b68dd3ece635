//! Waking tasks: running the code of somebody else's executor.

use std::task::Waker;

/// Wakes a task. A waker that panics harms nobody but its own executor: the thread that wakes has others to wake.
#[cfg(not(loom))]
pub(crate) fn wake(waker: Waker) {
    // It is used up either way, so that nobody sees it in a broken state.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake()));
}

/// Wakes a task. A panic is what a model has found.
#[cfg(loom)]
pub(crate) fn wake(waker: Waker) {
    waker.wake();
}
