//! Taking requests out of their lanes.

use super::{End, Port};
use crate::badge::Badge;
use crate::due::Due;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::server::caller::Ticket;
use crate::server::ledger::Ledger;
use crate::server::rows::Row;
use crate::sys::lines;
use crate::transport::Carried;
use crate::transport::socket::{Drained, MOST_QUEUED, SocketTransport};
use crate::wire::control::Tag;
use crate::wire::head::{self, Request, RowName, State};
use crate::wire::layout::{self, LaneId};
use crate::wire::slot::{self, Slot};
use std::sync::atomic::Ordering;

/// A request that was taken out of its lane.
pub(crate) struct Taken {
    pub(crate) ticket: Ticket,
    /// What was called; `None` if the capability is not valid or an argument is not, or if it was withdrawn.
    pub(crate) badge: Option<Badge>,
    pub(crate) is_withdrawn: bool,
    /// It is the entrypoint itself that was called.
    pub(crate) is_system: bool,
    pub(crate) chain: u64,
    pub(crate) due: Due,
    pub(crate) core: u8,
}

impl Port {
    /// Takes the next request out of its lane, into `into`; lanes take turns.
    #[inline]
    pub(crate) fn take(&mut self, into: &mut MsgBuf, ledger: &mut Ledger) -> Result<Option<Taken>, Error> {
        let Some(words) = &self.words else { return Ok(None) };
        let mut candidates = self.polled & !self.busy & !self.stuck;
        while candidates != 0 {
            let first = candidates & self.first;
            let Some(lane) = LaneId::lowest(if first != 0 { first } else { candidates }) else { break };
            candidates &= !lane.bit();
            // Acquire: pairs with the release store in `Channel::publish`.
            let word = words[lane.request()].load(Ordering::Acquire);
            if head::sequence(word) == self.sequences[lane.index()] {
                continue;
            }
            let state = State::decode(word)?;
            if state.kinds.carried() == 0 || self.has_carried(lane)? {
                return self.accept(lane, state, into, ledger).map(Some);
            }
            // Others have their turn; one that starves is no candidate any more.
            return Ok(None);
        }
        Ok(None)
    }

    /// Reads the socket for the descriptors of a request: they were sent before it was published, so they are here or nowhere. If
    /// there is no room for them, they stay there, and the request in its lane. If they were read before the room was gone, they
    /// may be all that there was: the request is served.
    #[cold]
    fn has_carried(&mut self, lane: LaneId) -> Result<bool, Error> {
        if self.lanes_held() & lane.bit() != 0 || self.drain(MOST_QUEUED)? != Drained::NoRoom {
            return Ok(true);
        }
        let is_here = self.lanes_held() & lane.bit() != 0;
        if !is_here {
            self.stuck |= lane.bit();
        }
        Ok(is_here)
    }

    /// The lanes for which descriptors were read.
    pub(super) fn lanes_held(&self) -> u64 {
        self.socket().map_or(0, SocketTransport::lanes_held)
    }

    /// Copies a request out of its lane, each word once, and checks the copy.
    #[inline]
    fn accept(
        &mut self,
        lane: LaneId,
        state: State,
        into: &mut MsgBuf,
        ledger: &mut Ledger,
    ) -> Result<Taken, Error> {
        let Some(channel) = &self.words else { return Err(Error::Disconnected) };
        let words = channel.part::<{ layout::MESSAGE_WORDS }>(lane.request());
        let request = Request::decode(std::array::from_fn(|index| words[1 + index].load(Ordering::Relaxed)));
        into.copy_from(layout::data::<_, { layout::REQUEST_HEAD }>(words), state.length);
        // While the object works, the lines of its answer come here: probably as many as those of the last one.
        let (reply, length) = (channel.part(lane.reply()), self.lengths[lane.index()]);
        lines::fetch_to_write(layout::behind_first_line::<_, { layout::REPLY_HEAD }>(reply, length));
        into.set_method(request.opcode, request.link);
        self.sequences[lane.index()] = state.sequence;
        self.busy |= lane.bit();
        self.served = true;
        self.first = u64::MAX << lane.number() << 1;
        let mut badge = match self.end {
            // Within a process, capabilities name objects and not rows: the type system protects them.
            End::Local(_) => Some(Badge(request.target)).filter(|badge| ledger.is_object(*badge)),
            End::Socket { .. } => self.rows.get(request.target).and_then(Row::object),
        };
        let is_withdrawn = state.status & head::WITHDRAWN != 0;
        if is_withdrawn {
            badge = None;
        }
        if !state.kinds.is_empty() && !self.accept_slots(lane, state, into, ledger)? {
            badge = None;
        }
        Ok(Taken {
            ticket: Ticket { port: self.name, lane, sequence: state.sequence },
            badge,
            is_withdrawn,
            is_system: request.target == RowName::SYSTEM && !is_withdrawn,
            chain: request.chain,
            due: request.due,
            core: state.core,
        })
    }

    /// Makes capabilities of a request's slots. Answers whether all of them are valid.
    #[cold]
    fn accept_slots(
        &mut self,
        lane: LaneId,
        state: State,
        into: &mut MsgBuf,
        ledger: &mut Ledger,
    ) -> Result<bool, Error> {
        let Some(words) = &self.words else { return Err(Error::Disconnected) };
        let words = &words[lane.request() + layout::REQUEST_HEAD + layout::slots_behind(state.length)..];
        let slots = state.kinds.slots(words.iter().map(|word| word.load(Ordering::Relaxed)));
        let slots: heapless::Vec<Slot, { layout::SLOTS }> = slots.collect();
        let mut carried = Carried::new().into_iter();
        if state.kinds.carried() != 0 {
            let tag = Tag { lane, sequence: state.sequence };
            carried = self.transport().receive(tag, &slot::carried(&slots))?.into_iter();
        }
        for slot in slots {
            let capability = match slot {
                Slot::Portal(_) | Slot::Dataspace(_) => carried.next(),
                Slot::Row(name) => {
                    self.rows.get(name).and_then(Row::badge).map(|badge| ledger.capability(badge))
                }
            };
            let valid = capability.filter(|capability| !ledger.is_dissolved(capability));
            let Some(capability) = valid else { return Ok(false) };
            into.push(capability)?;
        }
        Ok(true)
    }
}
