//! What a channel does for tasks that call through it.

use super::channel::Channel;
use super::portal::{InLine, Portal};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::protocol::line::Place;
use crate::protocol::{hang_up, reply_wait};
use crate::transport::Drained;
use crate::wait_policy::moment;
use crate::wire::head::{self, RowName};
use crate::wire::layout::{self, LaneId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

impl Channel {
    /// From now on tasks call: the watcher reads the socket, by which the server wakes them. `alarms` says that they
    /// will need that thread even if there is no socket.
    pub(super) fn expect_tasks(&self, alarms: bool) -> Result<(), Error> {
        if alarms {
            self.pd.watcher()?;
        }
        if !self.listens.load(Ordering::Acquire) {
            if let Some(watch) = self.watch.get() {
                watch.listen()?;
            }
            // After the watcher knows, and before any task asks to be woken.
            self.listens.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// As [`bring_home`](Channel::bring_home), for a task: answers whether it has to wait for one of the arguments.
    pub(super) fn must_wait(&self, send: &MsgBuf, in_line: &mut Option<InLine>, waker: &Waker) -> bool {
        let waits = |portal: &Portal| portal.wait_to_settle(in_line, waker);
        send.held().filter_map(|capability| capability.portal_home(self)).any(waits)
    }

    /// Takes a free lane, or has the task woken when it should look again.
    pub(super) fn poll_lane(
        self: &Arc<Self>,
        place: &mut Option<Place>,
        waker: &Waker,
    ) -> Poll<Result<LaneId, Error>> {
        let look = || {
            if self.cancelled.load(Ordering::Relaxed) != 0 {
                self.reclaim();
            }
            LaneId::all().find(|lane| self.lanes[lane.index()].take())
        };
        // Acquire, and after the task is in line: the end of the channel wakes everybody who is.
        match self.queue.poll(place, waker, look) {
            Some(lane) if !self.dead.load(Ordering::Acquire) => Poll::Ready(Ok(lane)),
            Some(lane) => {
                self.free_lane(lane);
                Poll::Ready(Err(Error::Disconnected))
            }
            None if self.dead.load(Ordering::Acquire) => Poll::Ready(Err(Error::Disconnected)),
            None => {
                self.mark_cancelled();
                Poll::Pending
            }
        }
    }

    /// The task in line goes.
    pub(super) fn leave_line(&self, place: Place) {
        self.queue.leave_line(place);
    }

    /// Has the server ring when it answers the cancelled calls: a thread that waits for their lanes looks now and
    /// then, a task does not.
    fn mark_cancelled(&self) {
        let unmarked = self.cancelled.load(Ordering::Relaxed) & !self.marked.load(Ordering::Relaxed);
        for lane in LaneId::in_set(unmarked) {
            let bit = lane.bit();
            // The lane is ours for a moment, so that the mark is not left in the lane of another call.
            if self.cancelled.fetch_and(!bit, Ordering::AcqRel) & bit != 0 {
                self.marked.fetch_or(bit, Ordering::Relaxed);
                reply_wait::intend_to_sleep(&self.words[layout::WAITING], lane.task_bit());
                self.cancelled.fetch_or(bit, Ordering::AcqRel);
            }
        }
        if unmarked != 0 {
            // The second look is theirs who are in line, ourselves among them. Each lane is marked once.
            self.queue.wake_all();
        }
    }

    /// Removes the mark of a cancelled call's lane. Only for who holds the lane.
    pub(super) fn unmark(&self, lane: LaneId) {
        if self.marked.load(Ordering::Relaxed) & lane.bit() != 0 {
            self.marked.fetch_and(!lane.bit(), Ordering::Relaxed);
            reply_wait::awake(&self.words[layout::WAITING], lane.task_bit());
        }
    }

    /// Publishes a task's request in the lane, which is free again if that fails; answers its sequence.
    pub(super) fn send(
        &self,
        lane: LaneId,
        target: RowName,
        message: &MsgBuf,
        chain: u64,
        deadline: Deadline,
    ) -> Result<u32, Error> {
        if self.has_backlog() {
            self.catch_up();
        }
        let sequence = self.lanes[lane.index()].next_sequence();
        self.publish(lane, sequence, target, message, chain, deadline)
            .inspect_err(|_| self.free_lane(lane))
            .map(|()| sequence)
    }

    /// Until when a task should look now and then for the reply to what it has just published; `None` if it does not
    /// pay. The first time in a process this takes a millisecond, to find out what a wake costs.
    pub(super) fn look_until(&self, now: Instant) -> Option<Instant> {
        match self.patience.time() {
            Duration::ZERO => {
                self.patience.did_not_pay_off();
                None
            }
            time => now.checked_add(time),
        }
    }

    /// Looks for a moment whether the reply comes: then nobody needs to ring. Answers whether it is worth another look
    /// when other tasks have had their turn.
    pub(super) fn look_for_reply(&self, lane: LaneId, until: Instant) -> bool {
        for _ in 0..moment() {
            if self.has_answer(lane) {
                self.patience.paid_off();
                return false;
            }
            std::hint::spin_loop();
        }
        if Instant::now() < until {
            return true;
        }
        self.patience.did_not_pay_off();
        false
    }

    /// The reply's state word, or has the task woken when it should look again.
    pub(super) fn poll_reply(&self, lane: LaneId, sequence: u32, waker: &Waker) -> Poll<Result<u64, Error>> {
        let state = &self.words[lane.reply()];
        // Acquire, both times: pairs with the release in `reply_wait::publish`.
        let mut word = state.load(Ordering::Acquire);
        if head::sequence(word) != sequence {
            self.tasks.wait(lane, &self.words[layout::WAITING], waker);
            word = state.load(Ordering::Acquire);
        }
        if head::sequence(word) == sequence {
            return Poll::Ready(Ok(word));
        }
        match hang_up::last_look(&self.dead, state) {
            None => Poll::Pending,
            Some(word) if head::sequence(word) == sequence => Poll::Ready(Ok(word)),
            Some(_) => Poll::Ready(Err(Error::Disconnected)),
        }
    }

    /// Takes a task's reply and gives the lane back.
    pub(super) fn finish(
        this: &Arc<Channel>,
        lane: LaneId,
        word: u64,
        receive: &mut MsgBuf,
    ) -> Result<(), Error> {
        this.tasks.leave(lane, &this.words[layout::WAITING]);
        Channel::conclude(this, lane, word, receive)
    }

    /// The task's call has ended for us; its lane comes back now, or when the server has answered.
    pub(super) fn abandon(self: &Arc<Self>, lane: LaneId, send: &MsgBuf) {
        self.tasks.leave(lane, &self.words[layout::WAITING]);
        self.cancel(lane, send);
        self.reclaim();
    }

    /// There may be something on the socket: reads it for a moment, and wakes the tasks whose reply is there.
    pub(super) fn read_socket(&self) -> Drained {
        match self.transport.listen() {
            // What is left unread may be a doorbell: so it is looked at the lanes all the same.
            Ok(drained @ (Drained::Empty | Drained::More | Drained::NoRoom)) => {
                self.wake_answered();
                drained
            }
            Ok(Drained::Closed) | Err(_) => {
                self.condemn();
                Drained::Closed
            }
        }
    }

    /// Whoever took a doorbell from the socket owes this to the tasks. A server may ring without reason.
    pub(super) fn wake_answered(&self) {
        self.tasks.wake_answered(|lane| self.has_answer(lane));
        let cancelled = self.cancelled.load(Ordering::Acquire);
        if LaneId::in_set(cancelled).any(|lane| self.has_answer(lane)) {
            self.queue.wake_next();
        }
    }

    /// Server within the process: the lane's reply is there and its task, or one that waits for the lane, wants to
    /// know.
    pub(crate) fn answered(&self, lane: LaneId) {
        self.tasks.wake_answered(|it| it == lane);
        if self.cancelled.load(Ordering::Acquire) & lane.bit() != 0 {
            self.queue.wake_next();
        }
    }

    /// The socket was read for something else than tasks: theirs may have come along.
    pub(super) fn read_along(&self) {
        // Acquire: pairs with the release in `expect_tasks`, before any doorbell that may have come.
        if self.listens.load(Ordering::Acquire) {
            self.wake_answered();
        }
    }

    fn has_answer(&self, lane: LaneId) -> bool {
        self.is_answered(lane, self.lanes[lane.index()].sequence())
    }
}
