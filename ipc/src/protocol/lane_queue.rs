//! Who waits for a lane when all are taken: threads, which sleep, and tasks, which are woken.
//!
//! ```text
//!           holder of a lane                  a thread that wants one             a task that wants one
//!   taken := false                        length += 1                         under the lock: in line, length += 1
//!   (total order)                         fence                               fence
//!   length not 0? wake one of each kind   under the lock: a lane is free?     a lane is free? take it, leave the line
//!                                         take it                             return to the executor
//!                                         sleep, giving up the lock
//! ```
//! Either the holder sees that somebody queues, or that one sees the free lane. The holder wakes threads under the lock,
//! so that it cannot do so between the look and the sleep of the other.
//!
//! A woken task is in line no more. If it takes no lane then, because it was dropped or found one otherwise, it wakes
//! the next in its stead.

use super::line::{Line, Place};
use crate::sync::{AtomicBool, AtomicU32, Condvar, Mutex, MutexGuard, Ordering, fence, total_order};
use crate::wake::wake;
use std::sync::PoisonError;
use std::task::Waker;
use std::time::Duration;

/// The threads and tasks that wait for a lane of one channel.
#[derive(Debug, Default)]
pub(crate) struct LaneQueue {
    /// Threads that wait, and tasks in line.
    length: AtomicU32,
    line: Mutex<Line>,
    freed: Condvar,
}

/// Takes a lane, if it is free.
#[inline]
pub(crate) fn take(taken: &AtomicBool) -> bool {
    // Acquire: pairs with the release in `free`; the new holder sees what the last one left in the lane.
    !taken.load(Ordering::Relaxed) && !taken.swap(true, Ordering::Acquire)
}

impl LaneQueue {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a lane back.
    #[inline]
    pub(crate) fn free(&self, taken: &AtomicBool) {
        // Sequentially consistent, both: the lane is free before we look at who waits; pairs with the fences in
        // `enter` and `line_up`. A swap, since a store and a fence cost more where a swap is a barrier anyway.
        taken.swap(false, Ordering::SeqCst);
        total_order();
        if self.length.load(Ordering::SeqCst) != 0 {
            self.wake_next();
        }
    }

    /// Makes those look who are next: a thread and a task, since a woken task may not run for long.
    #[cold]
    pub(crate) fn wake_next(&self) {
        let task = {
            let mut line = self.line();
            self.freed.notify_one();
            line.next()
        };
        if let Some(waker) = task {
            self.leave();
            wake(waker);
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
        let guard = self.line();
        match look() {
            Ok(found) => return Some(found),
            // Whatever wakes us, the caller looks again.
            Err(None) => drop(self.freed.wait(guard)),
            Err(Some(time)) => drop(self.freed.wait_timeout(guard, time)),
        }
        None
    }

    /// A task looks for a lane, and if there was none, is woken when it is worth another look: `place` is its place in
    /// line then, to be brought along, or given up by [`leave_line`](Self::leave_line). Looks at most twice.
    pub(crate) fn poll<T>(
        &self,
        place: &mut Option<Place>,
        waker: &Waker,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let in_line = place.filter(|place| self.line().has(*place));
        if let Some(found) = look() {
            // Who was woken for the lane that it took wakes nobody in its stead.
            *place = None;
            in_line.into_iter().for_each(|place| self.leave_line(place));
            return Some(found);
        }
        let place_now = self.line_up(*place, waker);
        *place = Some(place_now);
        let found = look();
        if found.is_some() {
            *place = None;
            self.leave_line(place_now);
        }
        found
    }

    /// A task is in line from now on, where it was before if it was. It must look for a lane once more after this.
    fn line_up(&self, place: Option<Place>, waker: &Waker) -> Place {
        let waker = waker.clone();
        let mut line = self.line();
        let (place, old) = line.enter(place, waker);
        if old.is_none() {
            self.length.fetch_add(1, Ordering::Relaxed);
        }
        drop(line);
        // As in `enter`.
        fence(Ordering::SeqCst);
        drop(old);
        place
    }

    /// A task gives up its place. If it was woken, it may have been for a lane, which somebody else should take.
    pub(crate) fn leave_line(&self, place: Place) {
        let left = self.line().leave(place);
        match left {
            Some(_) => self.leave(),
            None => self.wake_next(),
        }
    }

    /// Makes everybody who waits look again.
    pub(crate) fn wake_all(&self) {
        let tasks = {
            let mut line = self.line();
            self.freed.notify_all();
            line.take()
        };
        for waker in tasks {
            self.leave();
            wake(waker);
        }
    }
}
