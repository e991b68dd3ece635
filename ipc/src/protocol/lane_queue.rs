//! Who waits for a lane when all are taken.
//!
//! ```text
//!           holder of a lane                         who wants one
//!   taken := false                        length += 1
//!   (total order)                         fence
//!   length not 0? wake one                under the lock: a lane is free? take it
//!                                         sleep, giving up the lock
//! ```
//! Either the holder sees that somebody queues, or that one sees the free lane. The holder wakes under the lock, so
//! that it cannot do so between the look and the sleep of the other.

use crate::sync::{AtomicBool, AtomicU32, Condvar, Mutex, Ordering, fence, total_order};
use std::sync::PoisonError;
use std::time::Duration;

/// The threads that wait for a lane of one channel.
#[derive(Debug, Default)]
pub(crate) struct LaneQueue {
    length: AtomicU32,
    lock: Mutex<()>,
    freed: Condvar,
}

/// Takes a lane, if it is free.
#[inline]
pub(crate) fn take(taken: &AtomicBool) -> bool {
    // Acquire: pairs with the release in `free`; the new holder sees what the last one left in the lane.
    !taken.load(Ordering::Relaxed) && !taken.swap(true, Ordering::Acquire)
}

impl LaneQueue {
    /// Gives a lane back.
    #[inline]
    pub(crate) fn free(&self, taken: &AtomicBool) {
        // Sequentially consistent, both: the lane is free before we look at who waits; pairs with the fence in
        // `enter`. A swap, since a store and a fence cost more where a swap is a barrier anyway.
        taken.swap(false, Ordering::SeqCst);
        total_order();
        if self.length.load(Ordering::SeqCst) != 0 {
            let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.freed.notify_one();
        }
    }

    /// The calling thread waits for a lane from now on.
    pub(crate) fn enter(&self) {
        self.length.fetch_add(1, Ordering::Relaxed);
        // We are counted before we look at the lanes: pairs with the sequentially consistent accesses in `free`.
        fence(Ordering::SeqCst);
    }

    /// It waits no more.
    pub(crate) fn leave(&self) {
        // Relaxed: who still counts us locks and wakes in vain.
        self.length.fetch_sub(1, Ordering::Relaxed);
    }

    /// Looks, under the lock, and sleeps if there was nothing: until a lane was freed, or for as long as the look said,
    /// or for no reason at all. Only between [`enter`](Self::enter) and [`leave`](Self::leave); `look` must not free
    /// a lane.
    pub(crate) fn look_or_sleep<T>(&self, look: impl FnOnce() -> Result<T, Option<Duration>>) -> Option<T> {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        match look() {
            Ok(found) => return Some(found),
            // Whatever wakes us, the caller looks again.
            Err(None) => drop(self.freed.wait(guard)),
            Err(Some(time)) => drop(self.freed.wait_timeout(guard, time)),
        }
        None
    }

    /// Makes everybody who waits look again.
    pub(crate) fn wake_all(&self) {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.freed.notify_all();
    }
}
