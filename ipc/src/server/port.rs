//! The server's side of a channel.

use super::caller::Ticket;
use super::home::Home;
use super::ledger::{Ledger, Rows};
use crate::badge::Badge;
use crate::capability::Capability;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::watcher::{HangUp, Watch};
use crate::protocol::release_ring::{Release, Ring};
use crate::protocol::{doorbell, reply_wait};
use crate::sys::futex;
use crate::sys::memory::Words;
use crate::transport::local::LocalTransport;
use crate::transport::socket::{Drained, MOST_QUEUED, News, SocketTransport};
use crate::transport::{Carried, Refused, Transport};
use crate::wire::control::Tag;
use crate::wire::head::{self, Request, RowName, State, Status};
use crate::wire::layout::{self, LANES, LaneId};
use crate::wire::slot::{Kinds, Slot};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The server's side of one channel: its client's memory, and the rows granted to its client.
pub(crate) struct Port {
    name: RowName,
    end: End,
    /// The channel's memory, once its client has introduced itself.
    words: Option<Words>,
    rows: Rows,
    /// The last request taken out of each lane.
    sequences: [u32; LANES],
    /// Lanes that are polled.
    polled: u64,
    /// Lanes whose request is not answered yet.
    busy: u64,
    /// The lanes behind the one that was served last: they come first.
    first: u64,
    release_tail: u64,
    /// Wakes by its doorbell since the socket was last read.
    rings: u32,
    /// Something was taken from it since the last round of [`was_idle`](Self::was_idle).
    served: bool,
    bell: Option<OwnedFd>,
    /// A release that waits until the socket is read as far as its client had written it.
    held: Option<Release>,
    /// What was read from the socket and belongs to no request.
    pub(crate) news: Vec<News>,
    /// Portals that its client opened and that are still there.
    pub(crate) opened: u32,
    /// The port whose client opened this one.
    pub(crate) opener: Option<RowName>,
}

/// What a port hangs on.
pub(crate) enum End {
    Socket { transport: Box<SocketTransport>, _watch: Watch, _ended: Arc<Ended> },
    Local(LocalTransport),
}

/// Tells the server that the client of a port is gone, while the server is too busy to ask the system.
pub(crate) struct Ended {
    pub(crate) home: Arc<Home>,
    pub(crate) port: RowName,
}

impl HangUp for Ended {
    fn hang_up(&self) {
        self.home.ended(self.port);
    }
}

/// A request that was taken out of its lane.
pub(crate) struct Taken {
    pub(crate) ticket: Ticket,
    /// What was called; `None` if the capability is not valid or an argument is not.
    pub(crate) badge: Option<Badge>,
    pub(crate) chain: u64,
    pub(crate) budget: u32,
    pub(crate) core: u8,
}

/// The doorbell messages that may be waiting: each of up to 16 lanes rings at most once a wake, and a socket holds
/// at least 278 of them.
const RINGS_BETWEEN_DRAINS: u32 = 8;

impl Port {
    pub(crate) fn new(name: RowName, end: End, words: Option<Words>) -> Port {
        Port {
            name,
            end,
            words,
            rows: Rows::default(),
            sequences: [0; LANES],
            polled: 0,
            busy: 0,
            first: u64::MAX,
            release_tail: 0,
            rings: 0,
            served: true,
            bell: None,
            held: None,
            news: Vec::new(),
            opened: 0,
            opener: None,
        }
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(crate) fn rows_mut(&mut self) -> &mut Rows {
        &mut self.rows
    }

    fn transport(&self) -> &dyn Transport {
        match &self.end {
            End::Socket { transport, .. } => &**transport,
            End::Local(transport) => transport,
        }
    }

    /// The socket, if it has one.
    pub(crate) fn socket(&self) -> Option<&SocketTransport> {
        match &self.end {
            End::Socket { transport, .. } => Some(transport),
            End::Local(_) => None,
        }
    }

    /// The doorbell's pipe, if its client brought one.
    pub(crate) fn bell(&self) -> Option<&OwnedFd> {
        self.bell.as_ref()
    }

    /// Takes the client's memory and bell. Once only.
    pub(crate) fn introduce(&mut self, words: Words, bell: Option<OwnedFd>) -> Result<(), Error> {
        if self.words.is_some() {
            return Err(Error::Violation("a client introduced itself twice"));
        }
        (self.words, self.bell) = (Some(words), bell);
        Ok(())
    }

    /// Polls from now on: clients need not ring. Nothing without memory.
    pub(crate) fn watch(&mut self) {
        if let Some(words) = &self.words {
            doorbell::watch(&words[layout::WATCHED], self.polled);
        }
    }

    /// Announces that nobody polls any more. [`is_ready`](Self::is_ready) must be asked after this.
    pub(crate) fn unwatch(&mut self) {
        if let Some(words) = &self.words {
            doorbell::unwatch(&words[layout::WATCHED]);
        }
    }

    /// Whether nothing was taken from it since this was last asked.
    pub(crate) fn was_idle(&mut self) -> bool {
        !std::mem::take(&mut self.served)
    }

    /// Forgets which lanes were lately used: they announce themselves when they are used again.
    pub(crate) fn cool(&mut self) {
        self.polled = 0;
    }

    /// The second look: whether something came while [`unwatch`](Self::unwatch) was on its way.
    pub(crate) fn is_ready(&self) -> bool {
        let Some(words) = &self.words else { return false };
        doorbell::has_pending(&words[layout::PENDING])
            || words[layout::RELEASE_HEAD].load(Ordering::Relaxed) != self.release_tail
            || LaneId::in_set(self.polled & !self.busy).any(|lane| {
                head::sequence(words[lane.request()].load(Ordering::Relaxed)) != self.sequences[lane.index()]
            })
    }

    /// Its doorbell has woken us. Answers whether the socket should be read.
    pub(crate) fn rang(&mut self) -> bool {
        self.rings += 1;
        let full = self.rings >= RINGS_BETWEEN_DRAINS || self.words.is_none();
        if full {
            self.rings = 0;
        }
        full
    }

    /// Looks at what the client announced beside requests. Answers whether the socket should be read.
    #[inline]
    pub(crate) fn take_pending(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        match &self.words {
            Some(words) if doorbell::has_pending(&words[layout::PENDING]) => self.take_pending_slowly(ledger),
            _ => Ok(false),
        }
    }

    #[cold]
    fn take_pending_slowly(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        let Some(words) = &self.words else { return Ok(false) };
        let pending = doorbell::take_pending(&words[layout::PENDING]);
        if pending & layout::LANE_BITS & !self.polled != 0 {
            self.polled |= pending & layout::LANE_BITS;
            doorbell::watch(&words[layout::WATCHED], self.polled);
        }
        let releases = pending & layout::PENDING_RELEASES != 0 && self.take_releases(ledger)?;
        Ok(releases || pending & layout::PENDING_SOCKET != 0)
    }

    /// Takes back what the client released: at most one ring full, so that it cannot keep us here. Answers whether
    /// the socket must be read first: a release must not overtake what was sent before it.
    pub(crate) fn take_releases(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        let Some(words) = self.words.clone() else { return Ok(false) };
        let ring = Ring {
            head: &words[layout::RELEASE_HEAD],
            tail: &words[layout::RELEASE_TAIL],
            entries: &words[layout::RELEASE_ENTRIES..][..layout::RELEASE_CAPACITY],
        };
        let received = self.socket().map_or(0, SocketTransport::received);
        for _ in 0..layout::RELEASE_CAPACITY {
            let release = match self.held.take() {
                Some(held) => held,
                None => match ring.pop(&mut self.release_tail)? {
                    Some(release) => release,
                    None => return Ok(false),
                },
            };
            // Counts go round; what lies less than half way ahead is still to come.
            if matches!(release.sent.wrapping_sub(received), 1..=0x7fff) {
                self.held = Some(release);
                return Ok(true);
            }
            let row = self
                .rows
                .name_at(release.row)
                .ok_or(Error::Violation("a release of a row that was not granted"))?;
            ledger.release(self.name, &mut self.rows, row, release.grants.into())?;
        }
        Ok(false)
    }

    /// After the socket was read: what had to wait for it.
    pub(crate) fn resume_releases(&mut self, ledger: &mut Ledger) -> Result<(), Error> {
        if self.held.is_some() && self.take_releases(ledger)? {
            return Err(Error::Violation("a release refers to messages that were never sent"));
        }
        Ok(())
    }

    /// Takes the next request out of its lane, into `into`; lanes take turns.
    #[inline]
    pub(crate) fn take(&mut self, into: &mut MsgBuf, ledger: &Ledger) -> Result<Option<Taken>, Error> {
        let Some(words) = &self.words else { return Ok(None) };
        let candidates = self.polled & !self.busy;
        for lane in LaneId::in_set(candidates & self.first).chain(LaneId::in_set(candidates & !self.first)) {
            // Acquire: pairs with the release store in `Channel::publish`.
            let word = words[lane.request()].load(Ordering::Acquire);
            if head::sequence(word) != self.sequences[lane.index()] {
                return self.accept(lane, word, into, ledger).map(Some);
            }
        }
        Ok(None)
    }

    /// Copies a request out of its lane, each word once, and checks the copy.
    #[inline]
    fn accept(
        &mut self,
        lane: LaneId,
        word: u64,
        into: &mut MsgBuf,
        ledger: &Ledger,
    ) -> Result<Taken, Error> {
        let state = State::decode(word)?;
        let Some(words) = &self.words else { return Err(Error::Disconnected) };
        let words = &words[lane.request()..][..layout::MESSAGE_WORDS];
        let request = Request::decode(std::array::from_fn(|index| words[1 + index].load(Ordering::Relaxed)));
        into.copy_from(&words[layout::REQUEST_HEAD..], state.length);
        into.set_method(request.opcode, request.link);
        self.sequences[lane.index()] = state.sequence;
        self.busy |= lane.bit();
        self.served = true;
        self.first = u64::MAX << lane.number() << 1;
        let mut badge = match self.end {
            // Within a process, capabilities name objects and not rows: the type system protects them.
            End::Local(_) => Some(Badge(request.target)).filter(|badge| ledger.contains(*badge)),
            End::Socket { .. } => self.rows.get(request.target).and_then(super::ledger::Row::badge),
        };
        if !state.kinds.is_empty() && !self.accept_slots(lane, state, into, ledger)? {
            badge = None;
        }
        Ok(Taken {
            ticket: Ticket { port: self.name, lane, sequence: state.sequence },
            badge,
            chain: request.chain,
            budget: request.budget,
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
        ledger: &Ledger,
    ) -> Result<bool, Error> {
        let portals = state.kinds.portals();
        if portals != 0 {
            // They were sent before the request was published, so they are here or nowhere.
            self.drain(MOST_QUEUED)?;
        }
        let tag = Tag { lane, sequence: state.sequence };
        let mut portals = match portals {
            0 => Carried::new(),
            count => self.transport().receive(tag, count)?,
        }
        .into_iter();
        let Some(words) = &self.words else { return Err(Error::Disconnected) };
        let words = &words[lane.request() + layout::REQUEST_HEAD + layout::slots_behind(state.length)..];
        let words = words.iter().map(|word| word.load(Ordering::Relaxed));
        for slot in state.kinds.slots(words) {
            let capability = match slot {
                Slot::Portal => portals.next(),
                Slot::Row(name) => self
                    .rows
                    .get(name)
                    .and_then(super::ledger::Row::badge)
                    .map(|badge| Capability::own(ledger.home().clone(), badge)),
            };
            let valid = capability.filter(|capability| !ledger.is_dissolved(capability));
            let Some(capability) = valid else { return Ok(false) };
            into.push(capability)?;
        }
        Ok(true)
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
        if self.busy & bit == 0 || self.sequences[lane.index()] != ticket.sequence {
            return Err(Error::CallerGone);
        }
        let Some(words) = &self.words else { return Err(Error::CallerGone) };
        let status = status as u8;
        let mut state = State { sequence: ticket.sequence, length: 0, kinds: Kinds::default(), status, core };
        let mut result = Ok(());
        if let Some(message) = message {
            let words = &words[lane.reply() + layout::REPLY_HEAD..];
            message.copy_to(&words[..layout::DATA_WORDS]);
            state.length = message.length();
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
        if reply_wait::publish(word, state.encode(), &words[layout::WAITING], bit) {
            futex::wake(word);
        }
        result
    }

    /// Writes the slots of a reply: rows for our own objects, portals for all else.
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
                Some(badge) => match ledger.grant(badge, self.name, &mut self.rows) {
                    Ok(row) => Slot::Row(row),
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                },
                None => {
                    carried.push(capability.clone()).map_err(|_| Error::TooManyCapabilities)?;
                    Slot::Portal
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

    /// Reads the socket, at most so many messages.
    pub(crate) fn drain(&mut self, most: usize) -> Result<Drained, Error> {
        match &self.end {
            End::Socket { transport, .. } => transport.drain(&mut self.news, most),
            End::Local(_) => Ok(Drained::Empty),
        }
    }

    /// Adds the first row of a new port: what the portal was made for.
    pub(crate) fn grant_first(&mut self, badge: Badge, ledger: &mut Ledger) -> Result<(), Error> {
        ledger.grant(badge, self.name, &mut self.rows).map(drop)
    }
}
