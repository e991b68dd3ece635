//! Who calls in which lane.

use super::channel::Channel;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::sys::room::{self, BETWEEN_LOOKS};
use crate::sys::socket;
use crate::wire::head::{self, State};
use crate::wire::layout::LaneId;
use std::cell::LazyCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often a thread that waits for a lane looks whether one of a cancelled call has come back.
const LOOK_FOR_CANCELLED: Duration = Duration::from_millis(1);

impl Channel {
    /// Takes a free lane, or waits for one.
    pub(super) fn take_lane(self: &Arc<Self>, deadline: Deadline) -> Result<LaneId, Error> {
        if self.dead.load(Ordering::Relaxed) {
            return Err(Error::Disconnected);
        }
        if self.cancelled.load(Ordering::Relaxed) != 0 {
            self.reclaim();
        }
        match LaneId::all().find(|lane| self.lanes[lane.index()].take()) {
            Some(lane) => Ok(lane),
            None => self.wait_for_lane(deadline),
        }
    }

    #[cold]
    fn wait_for_lane(self: &Arc<Self>, deadline: Deadline) -> Result<LaneId, Error> {
        let end = deadline.instant();
        self.queue.enter();
        let result = loop {
            // Not under the queue's lock: it tells the queue what it frees.
            let step = if self.reclaim() { LOOK_FOR_CANCELLED } else { BETWEEN_LOOKS };
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let look = || match LaneId::all().find(|lane| self.lanes[lane.index()].take()) {
                Some(lane) => Ok(Ok(lane)),
                None if self.dead.load(Ordering::Acquire) => Ok(Err(Error::Disconnected)),
                // Our own lanes are all under way: the server is slow, not wrong.
                None if left.is_some_and(|left| left.is_zero()) => Ok(Err(Error::Busy)),
                None if self.cancelled.load(Ordering::Relaxed) == 0 => Err(left),
                // Nobody waits for the reply to a cancelled call and so nobody says when its lane comes back.
                None => Err(Some(left.unwrap_or(step).min(step))),
            };
            if let Some(result) = self.queue.look_or_sleep(look) {
                break result;
            }
        };
        self.queue.leave();
        result
    }

    #[inline]
    pub(super) fn free_lane(&self, lane: LaneId) {
        self.lanes[lane.index()].free(&self.queue);
    }

    /// Takes back the lanes of cancelled calls that the server has answered by now, and gives back what it granted. Answers
    /// whether there was room for that: without it, who waits for a lane need not look as often.
    #[cold]
    pub(super) fn reclaim(self: &Arc<Self>) -> bool {
        let room = LazyCell::new(room::is_there);
        let mut had_room = true;
        for lane in LaneId::all() {
            let word = self.words[lane.reply()].load(Ordering::Acquire);
            let bit = lane.bit();
            if self.cancelled.load(Ordering::Relaxed) & bit == 0
                || head::sequence(word) != self.lanes[lane.index()].sequence()
            {
                continue;
            }
            // It stays where it is, and is not taken and put back: for that, all who wait are woken, and look again, and so on.
            let brings = State::decode(word).is_ok_and(|state| state.kinds.carried() != 0);
            if brings && !self.transport.has_received(lane) && !*room {
                had_room = false;
                continue;
            }
            if self.cancelled.fetch_and(!bit, Ordering::AcqRel) & bit == 0 {
                continue;
            }
            // The lane is ours now. If it went through another call since we looked, it is not back yet.
            let word = self.words[lane.reply()].load(Ordering::Acquire);
            if head::sequence(word) != self.lanes[lane.index()].sequence() {
                self.cancelled.fetch_or(bit, Ordering::AcqRel);
                self.queue.wake_all();
                continue;
            }
            self.unmark(lane);
            // Made capabilities of, and dropped: that gives back rows and closes portals.
            let granted = State::decode(word)
                .map_err(Error::from)
                .and_then(|state| Channel::take_slots(self, lane, state, &mut MsgBuf::new()));
            if granted == Err(socket::NO_ROOM) {
                self.set_aside(lane);
                had_room = false;
                continue;
            }
            if granted.is_err() {
                self.condemn();
            }
            for row in self.lanes[lane.index()].let_go() {
                if let Some(last) = row.into_last() {
                    self.release(last);
                }
            }
            self.free_lane(lane);
        }
        had_room
    }

    /// The reply stays in its lane, and its portals on the socket, until there are descriptors for them: the lane comes back
    /// like that of a cancelled call.
    #[cold]
    pub(super) fn set_aside(&self, lane: LaneId) {
        self.cancelled.fetch_or(lane.bit(), Ordering::AcqRel);
        self.queue.wake_all();
    }

    /// The call in the lane should not be carried out, if the server has not begun with it.
    pub(super) fn withdraw(&self, lane: LaneId) {
        // Relaxed: this word alone says it.
        self.words[lane.request()].fetch_or(State::WITHDRAW, Ordering::Relaxed);
    }

    /// The call in the lane has ended for us but not for the server: the rows among its arguments stay held. What went as
    /// a portal is the server's by now, whatever becomes of ours. If the server has not begun with it, it should not.
    pub(super) fn cancel(&self, lane: LaneId, send: &MsgBuf) {
        // Relaxed: this word alone says it.
        self.words[lane.request()].fetch_or(State::WITHDRAW | State::GIVE_UP, Ordering::Relaxed);
        self.lanes[lane.index()].hold(send.held().filter_map(|argument| argument.hold_row_on(self)));
        self.cancelled.fetch_or(lane.bit(), Ordering::AcqRel);
        // Who waits for a lane must look for its return from now on.
        self.queue.wake_all();
    }
}
