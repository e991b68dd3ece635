//! The client's side of a channel: its memory, its lanes, and the calls that run through them.

use super::lane::Lane;
use super::releases::Releases;
use crate::capability::Capability;
use crate::context;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::pd::watcher::{HangUp, Watch};
use crate::protocol::release_ring::{Release, Ring};
use crate::protocol::{doorbell, reply_wait};
use crate::server::home::Bell;
use crate::sys::futex;
use crate::sys::memory::Words;
use crate::transport::local::LocalTransport;
use crate::transport::socket::SocketTransport;
use crate::transport::{Carried, Transport};
use crate::wire::control::{Control, Tag};
use crate::wire::head::{self, Request, RowName, State, Status};
use crate::wire::layout::{self, LANES, LaneId};
use crate::wire::slot::{Kinds, Slot};
use crossbeam_utils::CachePadded;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

/// A channel to one entrypoint. Any number of threads call through it at once, each in a lane of its own.
pub(crate) struct Channel {
    pd: Pd,
    words: Words,
    transport: Box<dyn Transport>,
    /// The other side is gone.
    dead: AtomicBool,
    lanes: [CachePadded<Lane>; LANES],
    /// Lanes whose call ended for us but not for the server.
    cancelled: AtomicU64,
    releases: Mutex<Releases>,
    /// Threads that wait for a lane.
    queue: Queue,
    watch: OnceLock<Watch>,
}

#[derive(Debug, Default)]
struct Queue {
    length: AtomicU32,
    lock: Mutex<()>,
    freed: Condvar,
}

impl Channel {
    /// Introduces ourselves over a portal's socket: from here on the entrypoint can be called, even before it has
    /// taken notice.
    pub(crate) fn connect(pd: &Pd, socket: OwnedFd) -> Result<Arc<Channel>, Error> {
        let socket = Arc::new(socket);
        let (words, memory) = Words::shared(layout::CHANNEL_BYTES)?;
        let bell = pd.doorbell_pipe()?;
        let (read_end, write_end) = bell.map_or((None, None), |(read, write)| (Some(read), Some(write)));
        let transport = SocketTransport::new(pd.clone(), socket.clone(), write_end);
        let descriptors: heapless::Vec<_, 2> =
            std::iter::once(memory.as_fd()).chain(read_end.as_ref().map(AsFd::as_fd)).collect();
        transport.send_control(Control::Hello, &descriptors)?;
        let channel = Arc::new(Channel::new(pd.clone(), words, Box::new(transport)));
        let watched: Weak<dyn HangUp> = Arc::<Channel>::downgrade(&channel) as Weak<dyn HangUp>;
        let _ = channel.watch.set(pd.watcher()?.watch(socket, watched)?);
        Ok(channel)
    }

    /// A channel to an entrypoint of this process, and what its server's side needs of it.
    pub(crate) fn local(pd: &Pd, bell: &Arc<Bell>) -> Result<(Arc<Channel>, Words, LocalTransport), Error> {
        let words = Words::private(layout::CHANNEL_BYTES)?;
        let (ours, theirs) = LocalTransport::pair(bell);
        Ok((Arc::new(Channel::new(pd.clone(), words.clone(), Box::new(ours))), words, theirs))
    }

    fn new(pd: Pd, words: Words, transport: Box<dyn Transport>) -> Channel {
        let policy = pd.wait_policy();
        Channel {
            pd,
            words,
            transport,
            dead: AtomicBool::new(false),
            lanes: std::array::from_fn(|_| CachePadded::new(Lane::new(policy))),
            cancelled: AtomicU64::new(0),
            releases: Mutex::default(),
            queue: Queue::default(),
            watch: OnceLock::new(),
        }
    }

    /// The time that a call may take when nothing else is said.
    #[inline]
    pub(crate) fn default_deadline(&self) -> Deadline {
        self.pd.default_deadline()
    }

    /// Calls what `target` names and waits for the reply.
    pub(crate) fn call(
        this: &Arc<Channel>,
        target: RowName,
        send: &MsgBuf,
        receive: &mut MsgBuf,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let (chain, deadline) = context::start_call(deadline);
        let lane = this.take_lane(deadline)?;
        let sequence = this.lanes[lane.index()].next_sequence();
        if let Err(error) = this.publish(lane, sequence, target, send, chain, deadline) {
            this.free_lane(lane);
            return Err(error);
        }
        // Now and not when the reply is here: what the last reply granted goes back while the server works.
        receive.clear();
        match this.await_reply(lane, sequence, deadline) {
            Ok(word) => {
                let result = Channel::take_reply(this, lane, word, receive);
                this.free_lane(lane);
                if let Err(Error::Violation(_)) = result {
                    this.condemn();
                }
                result
            }
            Err(error) => {
                this.lanes[lane.index()].hold(send.held());
                this.cancelled.fetch_or(lane.bit(), Ordering::AcqRel);
                Err(error)
            }
        }
    }

    /// Writes the request into its lane and makes the server look.
    fn publish(
        &self,
        lane: LaneId,
        sequence: u32,
        target: RowName,
        send: &MsgBuf,
        chain: u64,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let words = &self.words[lane.request()..][..layout::MESSAGE_WORDS];
        let request = Request {
            target,
            opcode: send.opcode(),
            budget: context::budget(deadline),
            link: send.link(),
            chain,
        };
        let length = send.length();
        let data = &words[layout::REQUEST_HEAD..];
        send.copy_to(data);
        let kinds = match send.capabilities() {
            0 => Kinds::default(),
            _ => self.send_slots(lane, sequence, send, &data[layout::slots_behind(length)..])?,
        };
        // Relaxed throughout: the release store of the state below orders all of it.
        for (word, value) in words[1..].iter().zip(request.encode()) {
            word.store(value, Ordering::Relaxed);
        }
        let state =
            State { sequence, length, kinds, status: 0, core: self.lanes[lane.index()].patience.own_core() };
        // Release: the whole request before its state; pairs with the acquire load in the server's `Port::take`.
        words[0].store(state.encode(), Ordering::Release);
        if doorbell::announce(&self.words[layout::WATCHED], &self.words[layout::PENDING], lane.bit()) {
            self.transport.ring();
        }
        Ok(())
    }

    /// Writes the capability slots; what no row of this channel expresses goes ahead over the transport.
    #[cold]
    fn send_slots(
        &self,
        lane: LaneId,
        sequence: u32,
        send: &MsgBuf,
        words: &[AtomicU64],
    ) -> Result<Kinds, Error> {
        let mut carried = Carried::new();
        let mut slots = heapless::Vec::<Slot, { layout::SLOTS }>::new();
        for capability in send.held() {
            let slot = capability.row_on(self).map_or(Slot::Portal, Slot::Row);
            if slot == Slot::Portal {
                carried.push(capability.clone()).map_err(|_| Error::TooManyCapabilities)?;
            }
            slots.push(slot).map_err(|_| Error::TooManyCapabilities)?;
        }
        for (word, slot) in words.iter().zip(&slots) {
            word.store(slot.encode(), Ordering::Relaxed);
        }
        if !carried.is_empty() {
            self.transport.send(Tag { lane, sequence }, &carried)?;
        }
        Ok(Kinds::of(&slots))
    }

    /// Waits until the lane's reply carries the sequence; answers its state word.
    #[inline]
    fn await_reply(&self, lane: LaneId, sequence: u32, deadline: Deadline) -> Result<u64, Error> {
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
        self.sleep_for_reply(lane, sequence, deadline)
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
            if self.dead.load(Ordering::Acquire) {
                return Err(Error::Disconnected);
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
            if self.dead.load(Ordering::Acquire) {
                break Err(Error::Disconnected);
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
    #[inline]
    fn take_reply(this: &Arc<Channel>, lane: LaneId, word: u64, receive: &mut MsgBuf) -> Result<(), Error> {
        let state = State::decode(word)?;
        let status = Status::decode(state.status)?;
        this.lanes[lane.index()].patience.peer_on(state.core);
        let words = &this.words[lane.reply() + layout::REPLY_HEAD..][..layout::MESSAGE_WORDS - 1];
        receive.copy_from(words, state.length);
        if !state.kinds.is_empty() {
            Channel::take_slots(this, lane, state, receive)?;
        }
        status.into_result()
    }

    /// Makes capabilities of a reply's slots.
    fn take_slots(
        this: &Arc<Channel>,
        lane: LaneId,
        state: State,
        receive: &mut MsgBuf,
    ) -> Result<(), Error> {
        let words = &this.words[lane.reply() + layout::REPLY_HEAD + layout::slots_behind(state.length)..];
        let mut portals = Carried::new().into_iter();
        let count = state.kinds.portals();
        if count != 0 {
            let tag = Tag { lane, sequence: state.sequence };
            portals = this.transport.receive(tag, count)?.into_iter();
        }
        for slot in state.kinds.slots(words.iter().map(|word| word.load(Ordering::Relaxed))) {
            receive.push(match slot {
                Slot::Row(row) => Capability::granted(this.clone(), row),
                Slot::Portal => portals.next().ok_or(Error::Violation("a portal is missing"))?,
            })?;
        }
        Ok(())
    }

    fn take_lane(self: &Arc<Self>, deadline: Deadline) -> Result<LaneId, Error> {
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
        let mut guard = self.queue.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.queue.length.fetch_add(1, Ordering::SeqCst);
        let result = loop {
            self.reclaim();
            if let Some(lane) = LaneId::all().find(|lane| self.lanes[lane.index()].take()) {
                break Ok(lane);
            }
            if self.dead.load(Ordering::Acquire) {
                break Err(Error::Disconnected);
            }
            let Some(end) = end else {
                guard = self.queue.freed.wait(guard).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Our own lanes are all under way: the server is slow, not wrong.
                break Err(Error::Busy);
            }
            guard = self.queue.freed.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        };
        self.queue.length.fetch_sub(1, Ordering::SeqCst);
        result
    }

    #[inline]
    fn free_lane(&self, lane: LaneId) {
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

    /// Gives back one grant of a row. Never waits.
    pub(crate) fn release(&self, row: RowName) {
        let ring = Ring {
            head: &self.words[layout::RELEASE_HEAD],
            tail: &self.words[layout::RELEASE_TAIL],
            entries: &self.words[layout::RELEASE_ENTRIES..][..layout::RELEASE_CAPACITY],
        };
        let release = Release { row: row.index, grants: 1, sent: self.transport.sent() };
        let look = self.releases.lock().unwrap_or_else(PoisonError::into_inner).push(release, ring);
        if look {
            self.notify(layout::PENDING_RELEASES);
        }
    }

    /// Asks the entrypoint to take `socket` as a portal to what the row names. Never waits.
    pub(crate) fn open(&self, row: RowName, socket: OwnedFd) -> Result<(), Error> {
        self.transport.open(row, socket)?;
        self.notify(layout::PENDING_SOCKET);
        Ok(())
    }

    /// Makes the server look at something that is no request.
    fn notify(&self, bit: u64) {
        // Orders what was written before ahead of the bit's look at `watched`.
        fence(Ordering::SeqCst);
        if doorbell::announce_unwatched(&self.words[layout::WATCHED], &self.words[layout::PENDING], bit) {
            self.transport.ring();
        }
    }

    /// The server broke the protocol: nothing more is said to it.
    fn condemn(&self) {
        self.transport.hang_up();
        self.hang_up();
    }
}

impl HangUp for Channel {
    /// The server is gone: everybody who waits for it is told.
    fn hang_up(&self) {
        self.dead.store(true, Ordering::Relaxed);
        // Either we see the sequence of a call that has begun, or its caller sees `dead`: pairs with the fences that
        // a caller passes between its sequence and its look at `dead` (`doorbell::announce`, `intend_to_sleep`).
        fence(Ordering::SeqCst);
        for lane in LaneId::all() {
            let state = &self.words[lane.reply()];
            let word = state.load(Ordering::Acquire);
            let sequence = self.lanes[lane.index()].sequence();
            if head::sequence(word) != sequence {
                // Changes the word that a waiter may be about to sleep on, so that it does not: half way round the
                // sequence is neither what it saw nor what it waits for. If the server did answer meanwhile, the
                // exchange fails and the answer stands.
                let changed = u64::from(sequence.wrapping_add(1 << 31));
                let _ = state.compare_exchange(word, changed, Ordering::AcqRel, Ordering::Relaxed);
            }
            futex::wake(state);
        }
        let _guard = self.queue.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.queue.freed.notify_all();
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.transport.hang_up();
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("transport", &self.transport).finish_non_exhaustive()
    }
}
