//! Answering requests in their lanes.

use super::{End, Port};
use crate::error::Error;
use crate::message::MsgBuf;
use crate::protocol::reply_wait;
use crate::server::caller::Ticket;
use crate::server::ledger::Ledger;
use crate::sys::futex;
use crate::sys::memory::Words;
use crate::transport::{Carried, Refused};
use crate::wire::control::Tag;
use crate::wire::head::{State, Status};
use crate::wire::layout;
use crate::wire::slot::{Kinds, Slot};
use std::sync::atomic::Ordering;

impl Port {
    /// Whether a call is still to be answered, and its client has not said that it has given up.
    pub(crate) fn awaits(&self, ticket: Ticket) -> bool {
        let lane = ticket.lane;
        // Relaxed: this word alone says it. What its client alleges is about its own call.
        let given_up = |words: &Words| words[lane.request()].load(Ordering::Relaxed) & State::GIVE_UP != 0;
        self.is_unanswered(ticket) && !self.words.as_ref().is_some_and(given_up)
    }

    #[inline]
    fn is_unanswered(&self, ticket: Ticket) -> bool {
        self.busy & ticket.lane.bit() != 0 && self.sequences[ticket.lane.index()] == ticket.sequence
    }

    /// Answers a call. An error is that of the server's message, and the client is told; a violation is the client's.
    #[inline]
    pub(crate) fn reply(
        &mut self,
        ticket: Ticket,
        status: Status,
        message: Option<&MsgBuf>,
        ledger: &mut Ledger,
        core: u8,
    ) -> Result<(), Error> {
        let lane = ticket.lane;
        let bit = lane.bit();
        if !self.is_unanswered(ticket) {
            return Err(Error::CallerGone);
        }
        let Some(words) = &self.words else { return Err(Error::CallerGone) };
        let status = status as u8;
        let mut state = State { sequence: ticket.sequence, length: 0, kinds: Kinds::default(), status, core };
        let mut result = Ok(());
        if let Some(message) = message {
            message.copy_to(layout::data::<_, { layout::REPLY_HEAD }>(words.part(lane.reply())));
            state.length = message.length();
            self.lengths[lane.index()] = state.length;
            if message.capabilities() != 0 {
                match self.reply_slots(ticket, message, ledger) {
                    Ok(kinds) => state.kinds = kinds,
                    Err(error @ Error::Violation(_)) => return Err(error),
                    Err(error) => {
                        let status = match error {
                            Error::InvalidCapability => Status::InvalidCapability,
                            Error::BudgetExceeded => Status::BudgetExceeded,
                            // A third party, or the system: not now.
                            _ => Status::Busy,
                        };
                        (state.length, state.status) = (0, status as u8);
                        result = Err(error);
                    }
                }
            }
        }
        let Some(words) = &self.words else { return Err(Error::CallerGone) };
        self.busy &= !bit;
        let word = &words[lane.reply()];
        let bits = bit | lane.task_bit();
        let asleep = reply_wait::publish(word, state.encode(), &words[layout::WAITING], bits);
        if asleep & bit != 0 {
            futex::wake(word);
        }
        if asleep & lane.task_bit() != 0 {
            self.transport().wake_task(lane);
        }
        result
    }

    /// Writes the slots of a reply: rows for our own objects, descriptors for all else.
    #[cold]
    fn reply_slots(&mut self, ticket: Ticket, message: &MsgBuf, ledger: &mut Ledger) -> Result<Kinds, Error> {
        let mut carried = Carried::new();
        let mut slots = heapless::Vec::<Slot, { layout::SLOTS }>::new();
        let is_local = matches!(self.end, End::Local(_));
        let mut failed = None;
        for capability in message.held() {
            if is_local && ledger.is_dissolved(capability) {
                failed = Some(Error::InvalidCapability);
                break;
            }
            let slot = match capability.badge_at(ledger.home()).filter(|_| !is_local) {
                Some(badge) => match self.grant(badge, ledger) {
                    Ok(row) => Slot::Row(row),
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                },
                None => {
                    carried.push(capability.clone()).map_err(|_| Error::TooManyCapabilities)?;
                    capability.carried_slot()
                }
            };
            slots.push(slot).map_err(|_| Error::TooManyCapabilities)?;
        }
        if failed.is_none() && !carried.is_empty() {
            let tag = Tag { lane: ticket.lane, sequence: ticket.sequence };
            failed = match self.transport().send(tag, &carried) {
                // A server queues nothing for a client.
                Err(Refused::Here(Error::Busy)) => {
                    return Err(Error::Violation("the client does not read its socket"));
                }
                // It was another's doing: to this client, what it would have been granted is none.
                Err(Refused::There(Error::Violation(_))) => Some(Error::InvalidCapability),
                sent => sent.err().map(Error::from),
            };
        }
        if let Some(error) = failed {
            // None of it was said, so the client will not give it back: we do.
            for slot in slots {
                if let Slot::Row(row) = slot {
                    ledger.release(self.name, &mut self.rows, row, 1)?;
                }
            }
            return Err(error);
        }
        let Some(words) = &self.words else { return Err(Error::CallerGone) };
        let behind = layout::slots_behind(message.length());
        let words = &words[ticket.lane.reply() + layout::REPLY_HEAD + behind..];
        for (word, slot) in words.iter().zip(&slots) {
            word.store(slot.encode(), Ordering::Relaxed);
        }
        Ok(Kinds::of(&slots))
    }
}
