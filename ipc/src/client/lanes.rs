//! Which thread calls in which lane.

use super::channel::Channel;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::wire::head::{self, State};
use crate::wire::layout::LaneId;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a thread that waits for a lane looks whether one of a cancelled call has come back.
const LOOK_FOR_CANCELLED: Duration = Duration::from_millis(1);

/// Threads that wait for a lane.
#[derive(Debug, Default)]
pub(super) struct Queue {
    length: AtomicU32,
    lock: Mutex<()>,
    freed: Condvar,
}

impl Channel {
    /// Takes a free lane, or waits for one.
    pub(super) fn take_lane(self: &Arc<Self>, deadline: Deadline) -> Result<LaneId, Error> {
        if self.dead.load(Ordering::Relaxed) {
            return Err(Error::Disconnected);
        }
        if self.cancelled.load(Ordering::Relaxed) != 0 {
            self.reclaim();
        }
        if self.releases_wait.load(Ordering::Relaxed) {
            self.push_release(None);
        }
        match LaneId::all().find(|lane| self.lanes[lane.index()].take()) {
            Some(lane) => Ok(lane),
            None => self.wait_for_lane(deadline),
        }
    }

    #[cold]
    fn wait_for_lane(self: &Arc<Self>, deadline: Deadline) -> Result<LaneId, Error> {
        let end = deadline.instant();
        self.queue.length.fetch_add(1, Ordering::SeqCst);
        let result = loop {
            // Without the lock, which giving back a lane takes.
            self.reclaim();
            let guard = self.queue.lock.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(lane) = LaneId::all().find(|lane| self.lanes[lane.index()].take()) {
                break Ok(lane);
            }
            if self.dead.load(Ordering::Acquire) {
                break Err(Error::Disconnected);
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                // Our own lanes are all under way: the server is slow, not wrong.
                break Err(Error::Busy);
            }
            // Nobody waits for the reply to a cancelled call and so nobody says when its lane comes back.
            let look = (self.cancelled.load(Ordering::SeqCst) != 0).then_some(LOOK_FOR_CANCELLED);
            match left.into_iter().chain(look).min() {
                Some(time) => drop(self.queue.freed.wait_timeout(guard, time)),
                None => drop(self.queue.freed.wait(guard)),
            }
        };
        self.queue.length.fetch_sub(1, Ordering::SeqCst);
        result
    }

    #[inline]
    pub(super) fn free_lane(&self, lane: LaneId) {
        self.lanes[lane.index()].free();
        // The lane was freed by a sequentially consistent swap, and who queues looks at the lanes after it was
        // counted: one of the two sees the other.
        if self.queue.length.load(Ordering::SeqCst) != 0 {
            let _guard = self.queue.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.queue.freed.notify_one();
        }
    }

    /// Takes back the lanes of cancelled calls that the server has answered by now, and gives back what it granted.
    #[cold]
    fn reclaim(self: &Arc<Self>) {
        for lane in LaneId::all() {
            let word = self.words[lane.reply()].load(Ordering::Acquire);
            let bit = lane.bit();
            if self.cancelled.load(Ordering::Relaxed) & bit == 0
                || head::sequence(word) != self.lanes[lane.index()].sequence()
                || self.cancelled.fetch_and(!bit, Ordering::AcqRel) & bit == 0
            {
                continue;
            }
            // Made capabilities of, and dropped: that gives back rows and closes portals.
            let granted = State::decode(word)
                .map_err(Error::from)
                .and_then(|state| Channel::take_slots(self, lane, state, &mut MsgBuf::new()));
            if granted.is_err() {
                self.condemn();
            }
            self.lanes[lane.index()].let_go();
            self.free_lane(lane);
        }
    }

    /// The call in the lane has ended for us but not for the server: its arguments stay held.
    pub(super) fn cancel(&self, lane: LaneId, send: &MsgBuf) {
        self.lanes[lane.index()].hold(send.held());
        self.cancelled.fetch_or(lane.bit(), Ordering::SeqCst);
        // Who waits for a lane must look from now on: as in `free_lane`, one of us sees the other.
        if self.queue.length.load(Ordering::SeqCst) != 0 {
            let _guard = self.queue.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.queue.freed.notify_all();
        }
    }

    /// The other side is gone: nobody need wait for a lane any more.
    pub(super) fn dismiss_queue(&self) {
        let _guard = self.queue.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.queue.freed.notify_all();
    }
}
