//! The serving side: channels, their capability tables, and the loop that takes one request at a time.

mod caller;
pub(crate) mod home;
mod ledger;
mod limits;
mod port;

pub use caller::Caller;
pub use limits::Limits;

use crate::badge::Badge;
use crate::capability::Capability;
use crate::context::{self, Context};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::pd::watcher::HangUp;
use crate::sys::memory::Words;
use crate::sys::{inherit, socket};
use crate::table::Table;
use crate::transport::socket::{Drained, News, SocketTransport};
use crate::wait_policy::Patience;
use crate::wire::head::{RowName, Status};
use crate::wire::layout;
use caller::{Dropped, Ticket};
use home::{Home, Post};
use ledger::Ledger;
use port::{End, Ended, Port};
use rustix::event::epoll;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The receiving half of an entrypoint: it mints capabilities to its objects, takes the calls of any number of
/// clients, one at a time and in fair turns, and answers them at once or later.
///
/// It belongs to the thread that made it. It never waits for a client; the client that breaks the protocol loses its
/// channel, and nobody else notices.
///
/// See [`Capability`] for an example.
pub struct Server {
    pd: Pd,
    home: Arc<Home>,
    ledger: Ledger,
    ports: Table<Port>,
    /// The ports that are polled: their clients need not ring.
    hot: Vec<RowName>,
    /// The place in `hot` that is looked at first.
    turn: usize,
    /// The port within this process.
    local: Option<RowName>,
    /// The port to the parent, and whether it has ended.
    parent: Option<RowName>,
    parent_gone: bool,
    violations: u64,
    epoll: OwnedFd,
    dropped: Dropped,
    patience: Patience,
    /// Turns without a request since the last one.
    idle_turns: u32,
    /// Requests since the system was asked who rings.
    since_asked: u32,
    /// When the clock was last read: no later than the arrival of any request taken after.
    clock: Instant,
    /// Its own capability: it names the server itself.
    own: (Badge, Capability),
}

/// A call that arrived.
#[derive(Debug)]
pub struct Request {
    /// The object that is called.
    pub badge: Badge,
    /// Who waits for the answer.
    pub caller: Caller,
}

/// What a server holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Open channels.
    pub channels: u32,
    /// Rows in the capability tables of all channels: objects that clients hold.
    pub rows: u32,
    /// Minted objects that were not dissolved, the server itself included.
    pub objects: u32,
    /// Channels that were closed because their client broke the protocol, ever.
    pub violations: u64,
}

/// The event of the home's bell; no table name is zero.
const BELL: u64 = 0;
/// Turns between two looks at who rings, and between two looks at the clock while spinning.
const TURNS_BETWEEN_LOOKS: u32 = 256;
/// Requests of polled clients between two looks at who rings.
const REQUESTS_BETWEEN_LOOKS: u32 = 32;

impl Server {
    /// A server with default limits, on the calling thread.
    ///
    /// # Errors
    /// [`Error::System`] if the system refuses the descriptors that it needs.
    pub fn new(pd: &Pd) -> Result<Server, Error> {
        Server::with(pd, Limits::default())
    }

    /// A server that grants each client at most what the limits say.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with(pd: &Pd, limits: Limits) -> Result<Server, Error> {
        let home = Arc::new(Home::new(pd)?);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(Error::system("epoll_create1"))?;
        add_event(&epoll, home.bell().counter().as_fd(), BELL)?;
        let mut ledger = Ledger::new(home.clone(), limits);
        let badge = ledger.mint()?;
        let own = (badge, Capability::own(home.clone(), badge));
        Ok(Server {
            pd: pd.clone(),
            home,
            ledger,
            ports: Table::default(),
            hot: Vec::new(),
            turn: 0,
            local: None,
            parent: None,
            parent_gone: false,
            violations: 0,
            epoll,
            dropped: Dropped::default(),
            patience: Patience::new(pd.wait_policy()),
            idle_turns: 0,
            since_asked: 0,
            clock: Instant::now(),
            own,
        })
    }

    /// The capability to the server itself, which it was created with.
    #[must_use]
    pub fn capability(&self) -> Capability {
        self.own.1.clone()
    }

    /// The badge under which calls to [`capability`](Self::capability) arrive.
    #[must_use]
    pub fn badge(&self) -> Badge {
        self.own.0
    }

    /// Makes a distinct identity with the same destination: the badge under which calls will arrive, and the
    /// capability to hand out. A row is taken only when it is handed to another process.
    ///
    /// # Errors
    /// [`Error::BudgetExceeded`] after 2³²-1 objects at once.
    pub fn mint(&mut self) -> Result<(Badge, Capability), Error> {
        let badge = self.ledger.mint()?;
        Ok((badge, Capability::own(self.home.clone(), badge)))
    }

    /// Ends an object: every capability to it, wherever it was delegated to, is invalid from now on. Calls that
    /// arrived before can still be answered. Doing it twice does nothing.
    pub fn dissolve(&mut self, badge: Badge) {
        for (port, row) in self.ledger.dissolve(badge) {
            if let Some(port) = self.ports.get_mut(port) {
                Ledger::kill(port.rows_mut(), row);
            }
        }
    }

    /// The badge behind a capability to an object of this server, such as one that came back in a message; `None`
    /// for those of others and for dissolved ones.
    #[must_use]
    pub fn badge_of(&self, capability: &Capability) -> Option<Badge> {
        capability.badge_at(&self.home).filter(|badge| self.ledger.contains(*badge))
    }

    /// Takes the portal that this process was born with, and lets the parent call the object through it. From then
    /// on [`wait`](Self::wait) ends with [`Error::ParentGone`] when the parent does.
    ///
    /// # Errors
    /// [`Error::NotSpawned`] if this process was not started by [`Pd::spawn`], or if the portal was taken before.
    pub fn serve_parent(&mut self, badge: Badge) -> Result<(), Error> {
        let portal = inherit::take().ok_or(Error::NotSpawned)?;
        self.parent = Some(self.adopt(portal, badge, None)?);
        Ok(())
    }

    /// What the server holds at the moment.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            channels: self.ports.len(),
            rows: self.ports.iter().map(|(_, port)| port.rows().len()).sum(),
            objects: self.ledger.len(),
            violations: self.violations,
        }
    }

    /// Answers the last caller, if there is one, and waits for the next call: the step of a server's loop.
    /// `message` is the reply, and then the call.
    ///
    /// # Errors
    /// As [`reply`](Self::reply) (the next call is not waited for then) and [`wait`](Self::wait).
    #[inline]
    pub fn reply_and_wait(
        &mut self,
        caller: Option<Caller>,
        message: &mut MsgBuf,
        deadline: Deadline,
    ) -> Result<Request, Error> {
        match caller.map(|caller| self.reply(caller, message)) {
            // A client that has gone does not keep the others waiting.
            None | Some(Ok(()) | Err(Error::CallerGone)) => self.wait(message, deadline),
            Some(Err(error)) => Err(error),
        }
    }

    /// Answers a call. Never waits: the client may read the answer when it likes.
    ///
    /// # Errors
    /// [`Error::CallerGone`] if the client has ended or the caller is another server's. [`Error::InvalidCapability`]
    /// or [`Error::BudgetExceeded`] if the message grants a dissolved object, or more than the client's budget;
    /// [`Error::Busy`] or [`Error::System`] if the entrypoint of another's object, or the system, has no room for a
    /// portal now. The client gets the same error as its answer, `Busy` for `System`.
    #[inline]
    pub fn reply(&mut self, caller: Caller, message: &MsgBuf) -> Result<(), Error> {
        let ticket = caller.redeem(&self.dropped).ok_or(Error::CallerGone)?;
        self.finish(ticket, Status::Answered, Some(message))
    }

    /// Waits for the next call until the deadline; `message` is replaced by it. Clients take turns.
    ///
    /// # Errors
    /// [`Error::DeadlineExceeded`], [`Error::ParentGone`], or [`Error::System`] if the system fails us. What clients
    /// do wrong costs them their channels and is no error here.
    #[inline]
    pub fn wait(&mut self, message: &mut MsgBuf, deadline: Deadline) -> Result<Request, Error> {
        context::serve(None);
        // Now and not when the next call is here: the last client is served, the next not yet.
        message.clear();
        let mut end = None;
        loop {
            if self.home.wants_attention() {
                self.attend();
            }
            if !self.dropped.borrow().is_empty() {
                self.abandon();
            }
            if self.parent_gone {
                return Err(Error::ParentGone);
            }
            if let Some(request) = self.poll(message) {
                return Ok(request);
            }
            self.idle(&mut end, deadline)?;
        }
    }

    /// Looks once at every polled port, from the one after that which was served last.
    #[inline]
    fn poll(&mut self, message: &mut MsgBuf) -> Option<Request> {
        if self.since_asked >= REQUESTS_BETWEEN_LOOKS {
            self.since_asked = 0;
            self.clock = Instant::now();
            if self.has_cold_ports() {
                self.ask_who_rings(Some(Duration::ZERO));
            }
        }
        for _ in 0..self.hot.len() {
            if self.turn >= self.hot.len() {
                self.turn = 0;
            }
            let Some(&name) = self.hot.get(self.turn) else { break };
            self.turn += 1;
            if let Some(request) = self.poll_port(name, message) {
                return Some(request);
            }
        }
        None
    }

    /// Takes one request of a port, if there is one that can be served.
    #[inline]
    fn poll_port(&mut self, name: RowName, message: &mut MsgBuf) -> Option<Request> {
        let port = self.ports.get_mut(name)?;
        match port.take_pending(&mut self.ledger) {
            Ok(false) => {}
            Ok(true) => {
                self.read_socket(name);
                return None;
            }
            Err(error) => {
                self.close(name, &error);
                return None;
            }
        }
        let taken = match port.take(message, &self.ledger) {
            Ok(taken) => taken,
            Err(error) => {
                self.close(name, &error);
                return None;
            }
        };
        if !port.news.is_empty() {
            self.take_news(name);
        }
        let taken = taken?;
        self.patience.paid_off();
        self.patience.peer_on(taken.core);
        self.idle_turns = 0;
        self.since_asked += 1;
        let Some(badge) = taken.badge else {
            message.clear();
            let _ = self.finish(taken.ticket, Status::InvalidCapability, None);
            return None;
        };
        context::serve(Some(Context { chain: taken.chain, budget: taken.budget, since: self.clock }));
        Some(Request { badge, caller: Caller::new(taken.ticket, &self.dropped) })
    }

    /// Nothing there: looks on for a while, then sleeps.
    #[inline]
    fn idle(&mut self, end: &mut Option<Option<Instant>>, deadline: Deadline) -> Result<(), Error> {
        let turns = self.patience.turns();
        if self.idle_turns < turns {
            self.idle_turns = self.idle_turns.saturating_add(1);
            if self.idle_turns.is_multiple_of(TURNS_BETWEEN_LOOKS) {
                if self.has_cold_ports() {
                    self.ask_who_rings(Some(Duration::ZERO));
                }
                if turns == u32::MAX {
                    self.idle_turns = 0;
                    self.left(end, deadline)?;
                }
            }
            std::hint::spin_loop();
            return Ok(());
        }
        let left = self.left(end, deadline)?;
        self.sleep(left);
        Ok(())
    }

    /// Reads the clock: the time left until the deadline.
    fn left(
        &mut self,
        end: &mut Option<Option<Instant>>,
        deadline: Deadline,
    ) -> Result<Option<Duration>, Error> {
        self.clock = Instant::now();
        match *end.get_or_insert_with(|| deadline.instant()) {
            None => Ok(None),
            Some(end) if end <= self.clock => Err(Error::DeadlineExceeded),
            Some(end) => Ok(Some(end - self.clock)),
        }
    }

    /// Sleeps until somebody rings, unless something came while the clients were told.
    #[cold]
    fn sleep(&mut self, left: Option<Duration>) {
        self.idle_turns = 0;
        self.patience.did_not_pay_off();
        for name in &self.hot {
            if let Some(port) = self.ports.get_mut(*name) {
                port.unwatch();
            }
        }
        let ready = |name: &RowName| self.ports.get(*name).is_some_and(Port::is_ready);
        if self.home.wants_attention() || self.hot.iter().any(ready) {
            for index in 0..self.hot.len() {
                self.rewatch(self.hot[index]);
            }
            return;
        }
        for name in self.hot.drain(..) {
            if let Some(port) = self.ports.get_mut(name) {
                port.cool();
            }
        }
        self.ask_who_rings(left);
        self.clock = Instant::now();
    }

    /// Goes on polling a port, and takes what is not announced to those who are polled.
    fn rewatch(&mut self, name: RowName) {
        let Some(port) = self.ports.get_mut(name) else { return };
        port.watch();
        match port.take_releases(&mut self.ledger) {
            Ok(false) => {}
            Ok(true) => self.read_socket(name),
            Err(error) => self.close(name, &error),
        }
    }

    fn has_cold_ports(&self) -> bool {
        self.hot.len() < self.ports.len() as usize
    }

    /// Asks the system who rang or ended, and waits for it if asked to.
    fn ask_who_rings(&mut self, left: Option<Duration>) {
        let mut space = [MaybeUninit::uninit(); 64];
        let left = left.map(|left| rustix::event::Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        // Interrupted, or nothing: the caller looks again.
        let Ok((events, _)) = epoll::wait(&self.epoll, &mut space[..], left.as_ref()) else { return };
        for event in events.iter() {
            let (flags, data) = (event.flags, event.data.u64());
            if data == BELL {
                socket::reset(self.home.bell().counter());
                if let Some(local) = self.local {
                    self.heat(local);
                }
                continue;
            }
            let name = RowName::decode(data);
            let Some(port) = self.ports.get_mut(name) else { continue };
            let ended =
                flags.intersects(epoll::EventFlags::HUP | epoll::EventFlags::RDHUP | epoll::EventFlags::ERR);
            if port.rang() || ended {
                self.read_socket(name);
            }
            self.heat(name);
        }
    }

    /// Polls a port from now on.
    fn heat(&mut self, name: RowName) {
        if self.hot.contains(&name) {
            return;
        }
        if let Some(port) = self.ports.get_mut(name) {
            port.watch();
            self.hot.push(name);
        }
    }

    /// Does what other threads left for us.
    #[cold]
    fn attend(&mut self) {
        while let Some(post) = self.home.next_post() {
            match post {
                // A refused portal is closed, and its holder finds a dead capability.
                Post::Adopt(portal, badge) => drop(self.adopt(portal, badge, None)),
                Post::Local(words, transport) => {
                    let port = |name| Ok(Port::new(name, End::Local(transport), Some(words)));
                    if let Ok(name) = self.insert_port(port) {
                        self.local = Some(name);
                        self.heat(name);
                    }
                }
                Post::Ended(name) => self.read_socket(name),
            }
        }
    }

    /// Tells those whose caller was dropped.
    #[cold]
    fn abandon(&mut self) {
        let dropped = std::mem::take(&mut *self.dropped.borrow_mut());
        for ticket in dropped {
            let _ = self.finish(ticket, Status::Abandoned, None);
        }
    }

    #[inline]
    fn finish(&mut self, ticket: Ticket, status: Status, message: Option<&MsgBuf>) -> Result<(), Error> {
        let port = self.ports.get_mut(ticket.port).ok_or(Error::CallerGone)?;
        let core = self.patience.own_core();
        let result = port.reply(ticket, status, message, &mut self.ledger, core);
        match result {
            Err(error @ Error::Violation(_)) => {
                self.close(ticket.port, &error);
                Err(Error::CallerGone)
            }
            result => result,
        }
    }

    /// Makes a socket a port whose first row is the object.
    fn adopt(&mut self, portal: OwnedFd, badge: Badge, opener: Option<RowName>) -> Result<RowName, Error> {
        socket::adopt(portal.as_fd())?;
        let (pd, home) = (self.pd.clone(), self.home.clone());
        let portal = Arc::new(portal);
        let of_port = portal.clone();
        let name = self.insert_port(|name| {
            let ended = Arc::new(Ended { home, port: name });
            let hang_up = Arc::<Ended>::downgrade(&ended) as Weak<dyn HangUp>;
            let watch = pd.watcher()?.watch(of_port.clone(), hang_up)?;
            let transport = Box::new(SocketTransport::new(pd.clone(), of_port, None));
            Ok(Port::new(name, End::Socket { transport, _watch: watch, _ended: ended }, None))
        })?;
        let Some(port) = self.ports.get_mut(name) else { return Err(Error::Disconnected) };
        port.opener = opener;
        let ready = port
            .grant_first(badge, &mut self.ledger)
            .and_then(|()| add_event(&self.epoll, portal.as_fd(), name.encode()));
        match ready {
            Ok(()) => Ok(name),
            Err(error) => {
                self.close(name, &error);
                Err(error)
            }
        }
    }

    /// Adds a port under the name that it is told.
    fn insert_port(&mut self, make: impl FnOnce(RowName) -> Result<Port, Error>) -> Result<RowName, Error> {
        if self.ports.len() >= self.ledger.limits().channels {
            return Err(Error::BudgetExceeded);
        }
        let name = self.ports.next_name().ok_or(Error::BudgetExceeded)?;
        let port = make(name)?;
        self.ports.insert(port).ok_or(Error::BudgetExceeded)
    }

    /// Reads a port's socket until it is empty and does what it says; then what had to wait for that.
    fn read_socket(&mut self, name: RowName) {
        let Some(port) = self.ports.get_mut(name) else { return };
        let drained = port.drain();
        self.take_news(name);
        let Some(port) = self.ports.get_mut(name) else { return };
        let result = drained.and_then(|drained| {
            port.resume_releases(&mut self.ledger)?;
            if drained == Drained::Closed { Err(Error::Disconnected) } else { Ok(()) }
        });
        if let Err(error) = result {
            self.close(name, &error);
        }
    }

    /// Introductions and openings.
    fn take_news(&mut self, name: RowName) {
        let Some(port) = self.ports.get_mut(name) else { return };
        for news in std::mem::take(&mut port.news) {
            let result = match news {
                News::Hello(memory, bell) => self.introduce(name, memory, bell),
                News::Open(row, portal) => self.open(name, row, portal),
            };
            if let Err(error) = result {
                return self.close(name, &error);
            }
        }
    }

    fn introduce(&mut self, name: RowName, memory: OwnedFd, bell: Option<OwnedFd>) -> Result<(), Error> {
        let words = match Words::foreign(&memory, layout::CHANNEL_BYTES) {
            Ok(words) if bell.as_ref().is_none_or(|bell| socket::is_pipe(bell.as_fd())) => words,
            refused => {
                // Whatever these are, closing them may block.
                self.pd.close_later(std::iter::once(memory).chain(bell).collect());
                refused?;
                return Err(Error::Violation("the doorbell is no pipe"));
            }
        };
        let Some(port) = self.ports.get_mut(name) else { return Ok(()) };
        if let Some(bell) = &bell {
            rustix::io::ioctl_fionbio(bell, true).map_err(Error::system("ioctl(FIONBIO)"))?;
            add_event(&self.epoll, bell.as_fd(), name.encode())?;
        }
        port.introduce(words, bell)?;
        // What it published before we knew its memory, it announced in its pending word at the latest.
        port.watch();
        self.heat(name);
        Ok(())
    }

    /// Opens a portal to what the row names. A row that names nothing is no violation: the object may have been
    /// dissolved meanwhile. The portal is closed then, and its holder finds a dead capability.
    fn open(&mut self, opener: RowName, row: RowName, portal: OwnedFd) -> Result<(), Error> {
        if !socket::is_portal(portal.as_fd()) {
            self.pd.close_later(vec![portal]);
            return Err(Error::Violation("a portal came that is no connected Unix socket"));
        }
        let Some(port) = self.ports.get_mut(opener) else { return Ok(()) };
        let badge = port.rows().get(row).and_then(ledger::Row::badge);
        let Some(badge) = badge.filter(|_| port.opened < self.ledger.limits().portals) else { return Ok(()) };
        port.opened += 1;
        if self.adopt(portal, badge, Some(opener)).is_err()
            && let Some(port) = self.ports.get_mut(opener)
        {
            port.opened -= 1;
        }
        Ok(())
    }

    /// Ends a port: its rows, its memory and its descriptors.
    fn close(&mut self, name: RowName, reason: &Error) {
        let Some(port) = self.ports.remove(name) else { return };
        self.violations += u64::from(matches!(reason, Error::Violation(_)));
        if let Some(opener) = port.opener.and_then(|opener| self.ports.get_mut(opener)) {
            opener.opened -= 1;
        }
        self.ledger.close(name, port.rows());
        self.hot.retain(|hot| *hot != name);
        // Deregistered before they are closed: a duplicate that somebody else holds would go on firing (epoll(7)).
        if let Some(socket) = port.socket() {
            let _ = epoll::delete(&self.epoll, socket.socket());
            socket::hang_up(socket.socket());
        }
        if let Some(bell) = port.bell() {
            let _ = epoll::delete(&self.epoll, bell);
        }
        self.parent_gone |= self.parent == Some(name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.home.close();
        let names: Vec<RowName> = self.ports.iter().map(|(name, _)| name).collect();
        for name in names {
            self.close(name, &Error::Disconnected);
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("usage", &self.usage()).finish_non_exhaustive()
    }
}

fn add_event(epoll: &OwnedFd, source: BorrowedFd<'_>, data: u64) -> Result<(), Error> {
    let events = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
    epoll::add(epoll, source, epoll::EventData::new_u64(data), events).map_err(Error::system("epoll_ctl"))
}
