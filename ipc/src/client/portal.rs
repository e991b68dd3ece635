//! A portal: a capability to an entrypoint that came as a socket, since its giver could not know of our channels.
//!
//! ```text
//!   expected ─┬─ its ticket comes ──▶ fresh ─┬─ it was issued in this domain: our own object ────────────┬──▶ settled
//!             │                              ├─ there is no channel of its group: it becomes that ───────┤
//!             │                              └─ there is one: folding ─┬─ folded: a row of that channel ─┤
//!             │                                                        └─ refused: a channel of its own ─┘
//!             └─ its other end is closed: dead
//! ```
//! The *ticket* says that the entrypoint has taken the portal up, and brings the socket of its channel, whose other end
//! has never left the entrypoint. Whoever made the portal may have kept copies of both its ends, and has nothing of the
//! channel. Nothing but openings goes over the portal itself: what its maker could do as well.
//!
//! Who calls through it waits for it to be settled. Who must not wait for the fold, or has waited in vain, calls through
//! a channel of its own meanwhile; the call that is under way holds that when the portal folds.
//!
//! A *group* is what one introducer calls by one name: it says that these portals lead to one entrypoint, and all of them
//! came over one socket of ours. So a portal never folds into a channel that somebody else has introduced, and might sit
//! in the middle of. The token in the ticket proves to the entrypoint which portal is meant; a lie about the group is a
//! token that the entrypoint does not know, and the portal stays a channel.
//!
//! A portal that has come home, to the domain of its entrypoint, needs no introducer to be believed: the token was issued
//! here ([`issued`](crate::pd::issued)).

mod settling;
mod submitted;
mod tasks;
mod waiting;

pub(crate) use tasks::InLine;

use super::callee::Callee;
use super::channel::Channel;
use super::reference::{Reached, RowReference};
use crate::capability::Capability;
use crate::deadline::Deadline;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::Pd;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::pd::watcher::{HangUp, Watch};
use crate::protocol::line::Line;
use crate::transport::socket::SocketTransport;
use crate::transport::{Drained, Transport};
use crate::wake::wake;
use crate::wire::control::Token;
use crate::wire::head::RowName;
use crate::wire::slot::Group;
use std::borrow::Cow;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::Waker;

/// Where a portal came from: over which socket, and as one of which group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) introducer: u64,
    pub(crate) group: Group,
}

/// The client's end of a portal.
pub(crate) struct Portal {
    this: Weak<Portal>,
    pd: Pd,
    /// `None` for that to a child, which is a channel's socket from the start: we made it, and nobody else has had it.
    origin: Option<Origin>,
    state: Mutex<State>,
    /// The stage has changed.
    changes: Condvar,
    /// What it has come to.
    settled: OnceLock<Settled>,
}

/// What a portal has come to.
pub(crate) enum Settled {
    Row(RowReference),
    /// Something of this very domain: it has come home.
    Own(Capability),
}

struct State {
    stage: Stage,
    /// The portal itself, until its ticket comes or none will.
    entrance: Option<Arc<SocketTransport>>,
    /// Its entrypoint has said that it does not take it up.
    is_refused: bool,
    /// It could not be read, for want of descriptors.
    is_unread: bool,
    /// Has it read when something comes.
    watch: Option<Watch>,
    /// Who it leads to, if that was said.
    callee: Option<Arc<Callee>>,
    /// By what the entrypoint knows it, once its ticket has come.
    token: Option<Token>,
    /// The socket of its channel, from then on until it is one.
    transport: Option<Arc<SocketTransport>>,
    /// The channel that it is meanwhile.
    meanwhile: Option<RowReference>,
    /// Somebody has waited for it to fold, in vain.
    waited: bool,
    /// Has whoever folds it look whether it is still there.
    fold: Option<Waker>,
    /// Tasks that wait for it.
    tasks: Line,
    /// There was no channel yet that a signal could have gone through: it goes as soon as there is one.
    submitted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    /// Its token was presented.
    Folding,
    /// It will not fold.
    Alone,
    Settled,
}

impl State {
    /// Whether it may fold yet.
    fn is_under_way(&self) -> bool {
        matches!(self.stage, Stage::Fresh | Stage::Folding)
    }

    /// Whether its ticket has not come.
    fn is_expected(&self) -> bool {
        self.entrance.is_some()
    }
}

impl Portal {
    pub(crate) fn new(pd: &Pd, socket: PeerDescriptor, origin: Option<Origin>) -> Arc<Portal> {
        let socket = Arc::new(socket);
        let transport = Some(Arc::new(SocketTransport::new(pd.clone(), socket.clone())));
        let (stage, entrance, transport) = match origin {
            Some(_) => (Stage::Fresh, transport, None),
            None => (Stage::Alone, None, transport),
        };
        let state = State {
            stage,
            entrance,
            is_refused: false,
            is_unread: false,
            watch: None,
            callee: None,
            token: None,
            transport,
            meanwhile: None,
            waited: false,
            fold: None,
            tasks: Line::default(),
            submitted: false,
        };
        let portal = Arc::new_cyclic(|this| Portal {
            this: this.clone(),
            pd: pd.clone(),
            origin,
            state: Mutex::new(state),
            changes: Condvar::new(),
            settled: OnceLock::new(),
        });
        if origin.is_some() {
            portal.listen(socket);
        }
        portal
    }

    /// Has the watcher read its ticket. Without it, whoever uses the portal does. The state is locked meanwhile: the watcher
    /// may have something to tell before we have the watch.
    fn listen(&self, socket: Arc<PeerDescriptor>) {
        let mut state = self.state();
        let listener = self.this.clone() as Weak<dyn HangUp>;
        state.watch = self.pd.watcher().and_then(|watcher| watcher.listen(socket, listener)).ok();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channel and row that calls go through, as soon as there is one. If there is a channel that it can fold into,
    /// waits for that: the call would have to wait for the same entrypoint.
    pub(crate) fn reach(&self, deadline: Deadline) -> Result<Reached<'_>, Error> {
        if self.settled.get().is_none() && self.state().meanwhile.is_none() {
            self.wait(deadline, true)?;
        }
        self.reach_now()
    }

    /// The channel and row that calls go through, now. [`Error::Busy`] if its entrypoint has not taken it up.
    pub(crate) fn reach_now(&self) -> Result<Reached<'_>, Error> {
        if self.settled.get().is_none() {
            let mut state = self.state();
            self.go_on(&mut state);
            if state.is_expected() {
                return Err(Error::Busy);
            }
            if self.settled.get().is_none() && state.meanwhile.is_none() {
                self.connect(&mut state)?;
            }
            if let Some(reference) = &state.meanwhile {
                return Ok(Reached::Row(Cow::Owned(reference.clone())));
            }
            self.tell(state);
        }
        match self.settled.get() {
            Some(Settled::Row(reference)) => Ok(Reached::Row(Cow::Borrowed(reference))),
            Some(Settled::Own(own)) => own.reach_now(),
            None if self.state().is_refused => Err(Error::BudgetExceeded),
            None => Err(Error::Disconnected),
        }
    }

    /// Reads what has come over the portal. If that is its ticket, nothing more is read there, nor sent.
    fn look(&self, state: &mut State) -> Drained {
        let Some(entrance) = state.entrance.clone() else { return Drained::Closed };
        let drained = entrance.listen();
        state.is_unread = drained == Ok(Drained::NoRoom);
        let greeting = entrance.known_greeting();
        let callee = greeting.map(|(id, page)| Callee::greeted(id, page)).transpose();
        match (drained, callee, entrance.ticket()) {
            (Err(_), ..) | (_, Err(_), _) | (Ok(Drained::Closed), _, None) => {
                entrance.hang_up();
                state.is_refused = entrance.is_refused();
                (state.watch, state.entrance) = (None, None);
                self.stay_alone(state);
                Drained::Closed
            }
            (Ok(drained), Ok(callee), ticket) => {
                if let Some(callee) = callee {
                    state.callee = Some(Arc::new(callee));
                }
                if let Some((token, socket)) = ticket {
                    (state.watch, state.entrance) = (None, None);
                    let transport = SocketTransport::new(self.pd.clone(), Arc::new(socket));
                    (state.token, state.transport) = (Some(token), Some(Arc::new(transport)));
                    self.changes.notify_all();
                }
                drained
            }
        }
    }

    /// The domain that it came to.
    pub(crate) fn pd(&self) -> &Pd {
        &self.pd
    }

    /// Whether it is of the group that became that channel.
    pub(crate) fn belongs_to(&self, channel: &Channel) -> bool {
        let group = self.origin.and_then(|origin| self.pd.groups().get(origin));
        group.is_some_and(|group| std::ptr::eq(&raw const *group, channel))
    }

    /// Opens a portal to what it leads to, whose other end is that socket's. Never waits: if its ticket has not come, this goes
    /// over the portal itself.
    pub(crate) fn open(&self, socket: OwnedFd) -> Result<(), Error> {
        let mut state = self.state();
        self.go_on(&mut state);
        if let Some(entrance) = &state.entrance {
            // Under the lock: when the ticket is read, all that went this way has gone.
            let greeted = state.callee.as_ref().is_some_and(|callee| callee.greet(socket.as_fd()));
            return entrance.open(RowName::FIRST, socket, greeted);
        }
        self.tell(state);
        if let Some(Settled::Own(own)) = self.settled() {
            return own.open(socket);
        }
        let reached = self.reach_now()?;
        reached.channel().open(reached.row(), socket)
    }

    /// The group of portals that are made of it: that of the channel which it is, or is said to fold into. If that is not
    /// true, those portals do not fold either.
    pub(crate) fn group(&self) -> Group {
        match (self.settled.get(), self.origin) {
            (Some(Settled::Row(reference)), _) => reference.channel.group(),
            (Some(Settled::Own(own)), _) => own.group(),
            (None, Some(origin)) => self.pd.groups().onward(origin),
            (None, None) => {
                self.reach_now().map_or_else(|_| Group::next(), |reached| reached.channel().group())
            }
        }
    }

    /// What it has come to, if it has.
    #[inline]
    pub(crate) fn settled(&self) -> Option<&Settled> {
        self.settled.get()
    }

    /// The entrypoint that it leads to, as far as that is known.
    pub(crate) fn entrypoint(&self) -> Option<EntrypointId> {
        match self.settled()? {
            Settled::Row(reference) => reference.channel.callee_id(),
            Settled::Own(own) => own.entrypoint(),
        }
    }
}

/// A portal as the watcher knows it.
impl HangUp for Portal {
    fn hang_up(&self) {
        self.read();
    }

    fn read(&self) -> Drained {
        let mut state = self.state();
        let drained = self.look(&mut state);
        self.go_on(&mut state);
        self.tell(state);
        drained
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(fold) = state.fold.take() {
            wake(fold);
        }
    }
}
