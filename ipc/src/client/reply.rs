//! Waiting for a reply, and taking it.

use super::channel::Channel;
use crate::capability::Capability;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::protocol::{hang_up, reply_wait};
use crate::sys::futex;
use crate::transport::Carried;
use crate::wire::control::Tag;
use crate::wire::head::{self, State, Status};
use crate::wire::layout::{self, LaneId};
use crate::wire::slot::{self, Slot};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

impl Channel {
    /// Waits until the lane's reply carries the sequence; answers its state word.
    #[inline]
    pub(super) fn await_reply(&self, lane: LaneId, sequence: u32, deadline: Deadline) -> Result<u64, Error> {
        let state = &self.words[lane.reply()];
        let patience = &self.lanes[lane.index()].patience;
        let turns = patience.turns();
        if turns == u32::MAX {
            return self.spin_for_reply(state, sequence, deadline);
        }
        for _ in 0..turns {
            // Acquire: pairs with the release in `reply_wait::publish`.
            let word = state.load(Ordering::Acquire);
            if head::sequence(word) == sequence {
                patience.paid_off();
                return Ok(word);
            }
            std::hint::spin_loop();
        }
        patience.did_not_pay_off();
        patience.keep_apart();
        self.sleep_for_reply(lane, sequence, deadline)
    }

    /// Whether the lane's reply carries the sequence.
    pub(super) fn is_answered(&self, lane: LaneId, sequence: u32) -> bool {
        head::sequence(self.words[lane.reply()].load(Ordering::Acquire)) == sequence
    }

    /// Never sleeps; looks at the clock and for the server's death now and then.
    fn spin_for_reply(&self, state: &AtomicU64, sequence: u32, deadline: Deadline) -> Result<u64, Error> {
        const TURNS_BETWEEN_CLOCKS: usize = 4096;
        let mut end = None;
        loop {
            for _ in 0..TURNS_BETWEEN_CLOCKS {
                let word = state.load(Ordering::Acquire);
                if head::sequence(word) == sequence {
                    return Ok(word);
                }
                std::hint::spin_loop();
            }
            if let Some(word) = hang_up::last_look(&self.dead, state) {
                return answered(word, sequence);
            }
            if let Some(end) = *end.get_or_insert_with(|| deadline.instant())
                && Instant::now() >= end
            {
                return Err(Error::DeadlineExceeded);
            }
        }
    }

    #[cold]
    fn sleep_for_reply(&self, lane: LaneId, sequence: u32, deadline: Deadline) -> Result<u64, Error> {
        let state = &self.words[lane.reply()];
        let waiting = &self.words[layout::WAITING];
        let end = deadline.instant();
        reply_wait::intend_to_sleep(waiting, lane.bit());
        let result = loop {
            let word = state.load(Ordering::Acquire);
            if head::sequence(word) == sequence {
                break Ok(word);
            }
            if let Some(word) = hang_up::last_look(&self.dead, state) {
                break answered(word, sequence);
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break Err(Error::DeadlineExceeded);
            }
            futex::wait(state, head::sequence(word), left);
        };
        reply_wait::awake(waiting, lane.bit());
        result
    }

    /// Copies the reply out of its lane and makes it ours.
    #[inline(always)]
    pub(super) fn take_reply(
        this: &Arc<Channel>,
        lane: LaneId,
        word: u64,
        receive: &mut MsgBuf,
    ) -> Result<(), Error> {
        let state = State::decode(word)?;
        // Nearly every reply is an answer.
        let failure = match state.status {
            0 => None,
            status => Some(Status::decode(status)?),
        };
        this.lanes[lane.index()].patience.peer_on(state.core);
        let words = this.words.part(lane.reply());
        receive.copy_from(layout::data::<_, { layout::REPLY_HEAD }>(words), state.length);
        if !state.kinds.is_empty() {
            Channel::take_slots(this, lane, state, receive)?;
        }
        failure.map_or(Ok(()), Status::into_result)
    }

    /// Makes capabilities of a reply's slots.
    #[cold]
    pub(super) fn take_slots(
        this: &Arc<Channel>,
        lane: LaneId,
        state: State,
        receive: &mut MsgBuf,
    ) -> Result<(), Error> {
        let words = &this.words[lane.reply() + layout::REPLY_HEAD + layout::slots_behind(state.length)..];
        let slots = state.kinds.slots(words.iter().map(|word| word.load(Ordering::Relaxed)));
        let slots: heapless::Vec<Slot, { layout::SLOTS }> = slots.collect();
        let mut carried = Carried::new().into_iter();
        if state.kinds.carried() != 0 {
            let tag = Tag { lane, sequence: state.sequence };
            carried = this.transport.receive(tag, &slot::carried(&slots))?.into_iter();
            this.read_along();
        }
        for slot in slots {
            receive.push(match slot {
                Slot::Row(row) => Capability::granted(this.clone(), row),
                Slot::Portal(_) | Slot::Dataspace(_) => {
                    carried.next().ok_or(Error::Violation("a descriptor is missing"))?
                }
            })?;
        }
        Ok(())
    }
}

/// The last state word of a dead server's reply, if it is the answer to that call.
fn answered(word: u64, sequence: u32) -> Result<u64, Error> {
    if head::sequence(word) == sequence { Ok(word) } else { Err(Error::Disconnected) }
}
