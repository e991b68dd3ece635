//! The client's side of a channel: its memory, its lanes, and the calls that run through them.

use super::callee::Callee;
use super::cycle::Waiting;
use super::lane::Lane;
use super::releases::Releases;
use crate::context::{self, Terms};
use crate::deadline::Deadline;
use crate::due::Due;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::pd::watcher::{HangUp, Watch};
use crate::protocol::lane_queue::LaneQueue;
use crate::protocol::tasks::Tasks;
use crate::protocol::{doorbell, hang_up, signals};
use crate::server::home::Bell;
use crate::sys::futex;
use crate::sys::lines;
use crate::sys::memory::Words;
use crate::sys::socket;
use crate::transport::local::LocalTransport;
use crate::transport::socket::SocketTransport;
use crate::transport::{Drained, Transport};
use crate::wait_policy::Patience;
use crate::wire::head::{Request, RowName, State};
use crate::wire::layout::{self, LANES, LaneId};
use crate::wire::signal::Signal;
use crate::wire::slot::{Group, Kinds};
use crossbeam_utils::CachePadded;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// A channel to one entrypoint. Any number of threads call through it at once, each in a lane of its own.
pub(crate) struct Channel {
    pub(super) pd: Pd,
    pub(super) words: Words,
    pub(super) transport: Arc<dyn Transport>,
    /// The other side is gone.
    pub(super) dead: AtomicBool,
    pub(super) lanes: [CachePadded<Lane>; LANES],
    /// Lanes whose call ended for us but not for the server.
    pub(super) cancelled: AtomicU64,
    pub(super) releases: Mutex<Releases>,
    /// Whether releases wait for room in their ring: what a call looks at.
    pub(super) backlog: AtomicBool,
    /// Threads and tasks that wait for a lane.
    pub(super) queue: LaneQueue,
    /// Tasks that wait for a reply.
    pub(super) tasks: Tasks,
    /// Of tasks: whether looking for replies has paid off.
    pub(super) patience: Patience,
    /// Tasks have called through it: the watcher reads the socket.
    pub(super) listens: AtomicBool,
    /// Cancelled lanes of which the server is to ring when it answers.
    pub(super) marked: AtomicU64,
    pub(super) watch: OnceLock<Watch>,
    /// The entrypoint, once it has greeted us.
    callee: OnceLock<Arc<Callee>>,
    /// The group of the portals that are opened through it, as it was said first; and without what is known of the entrypoint.
    group: OnceLock<Group>,
    own_group: Group,
    /// It was looked for a greeting.
    asked: AtomicBool,
}

impl Channel {
    /// Introduces ourselves over a channel's socket: from here on the entrypoint can be called, even before it has
    /// taken notice. Portals that are opened through it are of that group; the entrypoint, if it is known.
    ///
    /// If there is too little of something to do so, nothing was said over the socket.
    pub(crate) fn connect(
        pd: &Pd,
        transport: &Arc<SocketTransport>,
        group: Group,
        callee: Option<Arc<Callee>>,
    ) -> Result<Arc<Channel>, Error> {
        let (watcher, bell) = (pd.watcher()?, pd.doorbell_pipe()?);
        let (words, memory) = Words::shared()?;
        let channel = Channel::new(pd.clone(), words, transport.clone(), group);
        let _ = callee.map(|callee| channel.callee.set(callee));
        let channel = Arc::new(channel);
        let watched: Weak<dyn HangUp> = Arc::<Channel>::downgrade(&channel) as Weak<dyn HangUp>;
        // Not the channel's yet: if that fails it ends here and now, though the watcher may hold the channel for a moment.
        let watch = watcher.watch(transport.peer_socket(), watched)?;
        transport.introduce(memory.as_fd(), bell)?;
        let _ = channel.watch.set(watch);
        Ok(channel)
    }

    /// A channel to an entrypoint of this process, and what its server's side needs of it.
    pub(crate) fn local(
        pd: &Pd,
        bell: &Arc<Bell>,
        callee: Callee,
    ) -> Result<(Arc<Channel>, Words, LocalTransport), Error> {
        let words = Words::private()?;
        let (ours, theirs) = LocalTransport::pair(bell);
        let channel = Channel::new(pd.clone(), words.clone(), Arc::new(ours), Group::next());
        let _ = channel.callee.set(Arc::new(callee));
        let channel = Arc::new(channel);
        let theirs = theirs.to(&channel);
        Ok((channel, words, theirs))
    }

    fn new(pd: Pd, words: Words, transport: Arc<dyn Transport>, group: Group) -> Channel {
        let policy = pd.wait_policy();
        Channel {
            pd,
            words,
            transport,
            dead: AtomicBool::new(false),
            lanes: std::array::from_fn(|_| CachePadded::new(Lane::new(policy))),
            cancelled: AtomicU64::new(0),
            releases: Mutex::default(),
            backlog: AtomicBool::new(false),
            queue: LaneQueue::default(),
            tasks: Tasks::default(),
            patience: Patience::new(policy),
            listens: AtomicBool::new(false),
            marked: AtomicU64::new(0),
            watch: OnceLock::new(),
            callee: OnceLock::new(),
            group: OnceLock::new(),
            own_group: group,
            asked: AtomicBool::new(false),
        }
    }

    /// The entrypoint, if it is known to have greeted us.
    pub(super) fn known_callee(&self) -> Option<&Callee> {
        self.callee.get().map(Arc::as_ref)
    }

    /// The entrypoint, if it has greeted us by now.
    pub(super) fn callee(&self) -> Result<Option<&Callee>, Error> {
        if self.callee.get().is_none() {
            let greeting = self.transport.greeting()?;
            self.read_along();
            if let Some((id, page)) = greeting {
                let _ = self.callee.set(Arc::new(Callee::greeted(id, page)?));
            }
        }
        Ok(self.known_callee())
    }

    /// The name of the entrypoint, as far as it is known.
    pub(crate) fn callee_id(&self) -> Option<EntrypointId> {
        self.known_callee().map(Callee::id)
    }

    /// The group of the portals that are opened through it.
    pub(crate) fn group(&self) -> Group {
        *self.group.get_or_init(|| self.own_group.hinting(self.callee_id()))
    }

    /// Whether the other side has ended.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
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
        let deadline = match send.capabilities() {
            0 => deadline,
            _ => this.bring_home(send, deadline)?,
        };
        let Terms { chain, deadline, server } = context::start_call(deadline);
        let waiting = match server.and_then(context::server) {
            None => None,
            Some(server) => Some(Waiting::enter(server, chain, this.judge(this.callee())?)?),
        };
        let lane = this.take_lane(deadline)?;
        // Not before, as the lines behind it: the server looks at this one all the time.
        lines::fetch_to_write(this.words.part::<{ layout::LINE }>(lane.request()));
        if this.has_backlog() {
            this.catch_up();
        }
        let sequence = this.lanes[lane.index()].next_sequence();
        if let Err(error) = this.publish(lane, sequence, target, send, chain, deadline) {
            this.free_lane(lane);
            return Err(error);
        }
        // Now and not when the reply is here: what the last reply granted goes back while the server works.
        receive.clear();
        let word = match &waiting {
            None => this.await_reply(lane, sequence, deadline),
            Some(waiting) => waiting.await_reply(this, lane, sequence, deadline),
        };
        // Before the lane is used again: it tells the callee that its answer is only not read yet.
        drop(waiting);
        match word {
            Ok(word) => Channel::conclude(this, lane, word, receive),
            Err(error) => {
                this.cancel(lane, send);
                Err(error)
            }
        }
    }

    /// Takes the reply that has come, and gives the lane back.
    #[inline(always)]
    pub(super) fn conclude(
        this: &Arc<Channel>,
        lane: LaneId,
        word: u64,
        receive: &mut MsgBuf,
    ) -> Result<(), Error> {
        let result = Channel::take_reply(this, lane, word, receive);
        if result == Err(socket::NO_ROOM) {
            this.set_aside(lane);
        } else {
            this.expect_request(lane);
            this.free_lane(lane);
        }
        // It greets before it answers.
        if !this.asked.load(Ordering::Relaxed) {
            this.meet();
        }
        this.judge(result)
    }

    /// Writes the request into its lane and makes the server look.
    #[inline(always)]
    pub(super) fn publish(
        &self,
        lane: LaneId,
        sequence: u32,
        target: RowName,
        send: &MsgBuf,
        chain: u64,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let words = self.words.part::<{ layout::MESSAGE_WORDS }>(lane.request());
        let request =
            Request { target, opcode: send.opcode(), due: Due::after(deadline), link: send.link(), chain };
        let length = send.length();
        self.lanes[lane.index()].set_length(length);
        send.copy_to(layout::data::<_, { layout::REQUEST_HEAD }>(words));
        let kinds = match send.capabilities() {
            0 => Kinds::default(),
            _ => {
                let slots = &words[layout::REQUEST_HEAD + layout::slots_behind(length)..];
                self.send_slots(lane, sequence, send, slots)?
            }
        };
        // Relaxed throughout: the release store of the state below orders all of it.
        for (word, value) in words[1..layout::REQUEST_HEAD].iter().zip(request.encode()) {
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

    /// The lane's next request will probably be as long as its last one.
    #[inline]
    fn expect_request(&self, lane: LaneId) {
        let words = self.words.part(lane.request());
        let length = self.lanes[lane.index()].length();
        lines::fetch_to_write(layout::behind_first_line::<_, { layout::REQUEST_HEAD }>(words, length));
    }

    /// Makes the server look at something that is no request.
    pub(super) fn notify(&self, bit: u64) {
        // Orders what was written before ahead of the bit's look at `watched`.
        fence(Ordering::SeqCst);
        if doorbell::announce_unwatched(&self.words[layout::WATCHED], &self.words[layout::PENDING], bit) {
            self.transport.ring();
        }
    }

    /// Submits a signal to the context that the row names. Never waits. For a row of an object there is no signal.
    #[inline]
    pub(crate) fn submit(&self, row: RowName) {
        let Some(signal) = Signal::of(row.index()) else { return };
        if signals::submit(&self.words[signal.word()], signal.bit()) {
            self.announce_signals(signal.pending());
        }
    }

    /// Makes the server look at signals, which were set.
    #[cold]
    pub(crate) fn announce_signals(&self, bits: u64) {
        if doorbell::announce_unwatched(&self.words[layout::WATCHED], &self.words[layout::PENDING], bits) {
            self.transport.ring();
        }
    }

    /// Takes the greeting: it would lie in the socket for as long as nobody looks, with a descriptor of the server's.
    #[cold]
    fn meet(&self) {
        self.asked.store(true, Ordering::Relaxed);
        // Without it, only circles of calls are not found out.
        let _ = self.judge(self.callee());
    }

    /// If the server broke the protocol, it is condemned.
    #[inline]
    pub(super) fn judge<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Violation(_)) = result {
            self.condemn();
        }
        result
    }

    /// The server broke the protocol: nothing more is said to it.
    #[cold]
    pub(super) fn condemn(&self) {
        self.hang_up();
    }
}

impl HangUp for Channel {
    /// The server is gone: everybody who waits for it is told.
    fn hang_up(&self) {
        let known = self.dead.load(Ordering::Relaxed);
        hang_up::declare(&self.dead);
        for lane in LaneId::all() {
            let state = &self.words[lane.reply()];
            hang_up::unsettle(state, self.lanes[lane.index()].sequence());
            futex::wake(state);
        }
        self.queue.wake_all();
        self.tasks.wake_answered(|_| true);
        // Once: it is an event of the socket as well, which would bring the watcher here again, and so on for as long as
        // somebody holds the channel.
        if !known {
            self.transport.hang_up();
        }
    }

    fn read(&self) -> Drained {
        self.read_socket()
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("transport", &self.transport).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
