//! The serving side: channels, their capability tables, and the loop that takes one request at a time.

mod accounts;
mod admission;
mod caller;
pub(crate) mod contexts;
pub(crate) mod counted;
mod entrance;
mod event;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub(crate) mod home;
mod homecoming;
pub(crate) mod insight;
mod ledger;
mod limits;
mod port;
mod rows;
mod signals;
mod starving;
mod system;
#[cfg(test)]
mod tests;
mod turns;
mod until;
mod waiting;

pub use caller::Caller;
pub use contexts::SignalLevel;
pub use event::{Event, Request, Waker};
pub use limits::Limits;
pub use signals::Nested;

use crate::badge::Badge;
use crate::capability::Capability;
use crate::context::{self, Context};
use crate::error::{Error, Refusal};
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::sys::inherit;
use crate::table::Table;
use crate::wait_policy::Patience;
use crate::wire::control::Token;
use crate::wire::head::{RowName, Status};
use caller::{Dropped, Ticket};
use home::Home;
use insight::Insight;
use ledger::Ledger;
use port::Port;
use rustix::event::epoll;
use starving::Starving;
use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use turns::Pace;

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
    insight: Rc<Insight>,
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
    /// Portals that were ever taken up.
    admitted: u64,
    epoll: OwnedFd,
    dropped: Dropped,
    patience: Patience,
    pace: Pace,
    /// Ports whose socket was read for a moment and may hold more.
    unread: VecDeque<RowName>,
    starving: Starving,
    /// The portals that were taken up and are not folded, by their tokens.
    tokens: HashMap<Token, RowName>,
    /// The call that was taken last, until it is answered.
    serving: Option<Ticket>,
    /// Its waker was used since the last [`Event::Woken`].
    woken: bool,
    /// The last event was no call: a call comes first now.
    calls_first: bool,
    /// The last event that was no call was a signal: what is none comes first now.
    signals_last: bool,
    /// Its own capability: it names the server itself.
    own: (Badge, Capability),
}

/// What a server holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Open channels.
    pub channels: u32,
    /// Rows in the capability tables of all channels: objects and signal contexts that clients hold.
    pub rows: u32,
    /// Minted objects that were not dissolved, the server itself included.
    pub objects: u32,
    /// Minted signal contexts that were not dissolved.
    pub contexts: u32,
    /// Channels that were closed because their client broke the protocol, ever.
    pub violations: u64,
}

/// The event of the home's bell; no table name is zero.
const BELL: u64 = 0;

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
        admission::add_event(&epoll, home.bell().counter().as_fd(), BELL)?;
        let mut ledger = Ledger::new(home.clone(), limits);
        let badge = ledger.mint()?;
        let own = (badge, Capability::own(home.clone(), badge, None));
        let insight = Rc::new(Insight::new(home.clone()));
        context::add_server(insight.clone());
        Ok(Server {
            pd: pd.clone(),
            home,
            insight,
            ledger,
            ports: Table::default(),
            hot: Vec::new(),
            turn: 0,
            local: None,
            parent: None,
            parent_gone: false,
            violations: 0,
            admitted: 0,
            epoll,
            dropped: Dropped::default(),
            patience: Patience::new(pd.wait_policy()),
            pace: Pace::new(),
            unread: VecDeque::new(),
            starving: Starving::default(),
            tokens: HashMap::new(),
            serving: None,
            woken: false,
            calls_first: false,
            signals_last: false,
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
        Ok((badge, self.ledger.capability(badge)))
    }

    /// As [`mint`](Self::mint), for an object whose holders count: when nobody holds a capability to it any more, not
    /// even in this process, [`next`](Self::next) says [`Event::Unreferenced`], once. Its clients are asked to give
    /// back what they drop at once, not when it suits them.
    ///
    /// # Errors
    /// As [`mint`](Self::mint).
    pub fn mint_counted(&mut self) -> Result<(Badge, Capability), Error> {
        let badge = self.ledger.mint()?;
        self.ledger.count(badge);
        Ok((badge, self.ledger.capability(badge)))
    }

    /// Ends an object or a signal context: every capability to it, wherever it was delegated to, is invalid from now on.
    /// Calls that arrived before can still be answered; signals are forgotten. Doing it twice does nothing.
    pub fn dissolve(&mut self, badge: Badge) {
        for (port, row) in self.ledger.dissolve(badge) {
            if let Some(port) = self.ports.get_mut(port) {
                Ledger::kill(port.rows_mut(), row);
            }
        }
    }

    /// The badge behind a capability to an object or a signal context of this server, such as one that came back in a message; `None`
    /// for those of others and for dissolved ones.
    #[must_use]
    pub fn badge_of(&self, capability: &Capability) -> Option<Badge> {
        capability.badge_at(&self.home).filter(|badge| self.ledger.contains(*badge))
    }

    /// Whether the capability is to an object of this server, be it dissolved: one that was made in this process.
    #[must_use]
    pub fn hosts(&self, capability: &Capability) -> bool {
        capability.badge_at(&self.home).is_some()
    }

    /// Takes the portal that this process was born with, and lets the parent call the object through it. From then
    /// on [`wait`](Self::wait) ends with [`Error::ParentGone`] when the parent does.
    ///
    /// # Errors
    /// [`Error::NotSpawned`] if this process was not started by [`Pd::spawn`], or if the portal was taken before.
    pub fn serve_parent(&mut self, badge: Badge) -> Result<(), Error> {
        let portal = inherit::take().ok_or(Error::NotSpawned)?;
        self.home.greet(portal.as_fd());
        self.parent = Some(self.adopt(PeerDescriptor::new(&self.pd, portal), badge, None)?);
        Ok(())
    }

    /// What the server holds at the moment.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            channels: self.ports.len(),
            rows: self.ports.iter().map(|(_, port)| port.rows().len()).sum(),
            objects: self.ledger.len(),
            contexts: self.ledger.contexts().len(),
            violations: self.violations,
        }
    }

    /// Answers a call. Never waits: the client may read the answer when it likes.
    ///
    /// # Errors
    /// [`Error::CallerGone`] if the client has ended or the caller is another server's. [`Error::InvalidCapability`]
    /// or [`Error::BudgetExceeded`] if the message grants a dissolved object or one of an entrypoint that breaks the protocol,
    /// or more than the client's budget;
    /// [`Error::Busy`] or [`Error::System`] if the entrypoint of another's object, or the system, has no room for a
    /// portal now. The client gets the same error as its answer, `Busy` for `System`.
    #[inline]
    pub fn reply(&mut self, caller: Caller, message: &MsgBuf) -> Result<(), Error> {
        let ticket = caller.redeem(&self.dropped).ok_or(Error::CallerGone)?;
        self.finish(ticket, Status::Answered, Some(message))
    }

    /// Answers a call that is not carried out with the reason. Never waits.
    ///
    /// # Errors
    /// [`Error::CallerGone`] as for [`reply`](Self::reply).
    pub fn refuse(&mut self, caller: Caller, refusal: Refusal) -> Result<(), Error> {
        let ticket = caller.redeem(&self.dropped).ok_or(Error::CallerGone)?;
        self.finish(ticket, refusal.into(), None)
    }

    /// Answers a call with the error that another call ended with, on which the answer would have depended: for
    /// objects that pass calls on. What means nothing to the client is that the call was abandoned. Never waits.
    ///
    /// # Errors
    /// [`Error::CallerGone`] as for [`reply`](Self::reply).
    pub fn fail(&mut self, caller: Caller, error: &Error) -> Result<(), Error> {
        let ticket = caller.redeem(&self.dropped).ok_or(Error::CallerGone)?;
        self.finish(ticket, Status::passed_on(error), None)
    }

    /// Whether somebody still waits for the answer, as far as is known: not if the client has ended, or has given the call
    /// up, by its deadline or by dropping the future. For who has much to do for it, or keeps it for long. Never waits.
    #[must_use]
    pub fn awaits(&self, caller: &Caller) -> bool {
        let port = self.ports.get(caller.ticket.port).filter(|_| caller.is_of(&self.dropped));
        port.is_some_and(|port| port.awaits(caller.ticket))
    }

    /// Wakes this server from other threads.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(self.home.clone())
    }

    /// Tells the clients whose [`Caller`] was dropped, now and not at the next look for events. Never waits.
    #[cold]
    pub fn abandon_dropped(&mut self) {
        let dropped = std::mem::take(&mut *self.dropped.borrow_mut());
        for ticket in dropped {
            let _ = self.finish(ticket, Status::Abandoned, None);
        }
    }

    #[inline]
    fn finish(&mut self, ticket: Ticket, status: Status, message: Option<&MsgBuf>) -> Result<(), Error> {
        let port = self.ports.get_mut(ticket.port).ok_or(Error::CallerGone)?;
        if self.serving == Some(ticket) {
            // What the thread calls from now on is on nobody's behalf.
            self.serving = None;
            context::serve(Some(Context::unasked(self.home.id())));
        }
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
}

impl Drop for Server {
    fn drop(&mut self) {
        context::remove_server(self.home.id());
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
