//! A portal: a capability to an entrypoint that came as a socket, since its giver could not know of our channels.
//!
//! ```text
//!            ┌─ used, or its token comes, and there is no channel of its group: it becomes one ──┐
//!   fresh ───┤                                                                                    ├──▶ settled
//!            └─ its token comes, and there is one: it folds into that, and its socket is closed ──┘
//!                  └─ used before that: a channel of its own meanwhile
//! ```
//! A *group* is what one introducer calls by one name: it says that these portals lead to one entrypoint, and all of them
//! came over one socket of ours. So a portal never folds into a channel that somebody else has introduced, and might sit
//! in the middle of. The token proves to the entrypoint which portal is meant; a lie about the group is a token that the
//! entrypoint does not know, and the portal stays a channel.

use super::channel::Channel;
use super::fold::{fold, fold_later};
use crate::capability::RowReference;
use crate::deadline::Deadline;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::Pd;
use crate::pd::peer_socket::PeerSocket;
use crate::pd::watcher::{HangUp, Watch};
use crate::transport::socket::SocketTransport;
use crate::wire::control::Token;
use crate::wire::head::RowName;
use crate::wire::slot::Group;
use std::borrow::Cow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

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
    /// `None` for one that has no like, such as that to a child.
    origin: Option<Origin>,
    state: Mutex<State>,
    settles: Condvar,
    /// What it has come to.
    settled: OnceLock<RowReference>,
}

struct State {
    stage: Stage,
    /// Until it is settled.
    transport: Option<Arc<SocketTransport>>,
    watch: Option<Watch>,
    /// The channel that it is meanwhile.
    meanwhile: Option<RowReference>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    /// Somebody settles it.
    Busy,
    /// It did not fold, and will not.
    Alone,
    Settled,
}

impl Portal {
    pub(crate) fn new(pd: &Pd, socket: PeerSocket, origin: Option<Origin>) -> Arc<Portal> {
        let socket = Arc::new(socket);
        let transport = Arc::new(SocketTransport::new(pd.clone(), socket.clone()));
        let state = State { stage: Stage::Fresh, transport: Some(transport), watch: None, meanwhile: None };
        let portal = Arc::new_cyclic(|this| Portal {
            this: this.clone(),
            pd: pd.clone(),
            origin,
            state: Mutex::new(state),
            settles: Condvar::new(),
            settled: OnceLock::new(),
        });
        if origin.is_some() {
            // Without a watcher it settles when it is used.
            let listener = Arc::<Portal>::downgrade(&portal) as Weak<dyn HangUp>;
            let watch = pd.watcher().and_then(|watcher| watcher.listen(socket, listener)).ok();
            let mut state = portal.state();
            if state.stage == Stage::Fresh {
                state.watch = watch;
            }
        }
        portal
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channel and row that calls go through. Waits for the entrypoint to take up the portal if there is a channel
    /// that it can fold into: the call would have to wait for that, too.
    pub(crate) fn reach(&self, deadline: Deadline) -> Result<Cow<'_, RowReference>, Error> {
        if let Some(reference) = self.settled.get() {
            return Ok(Cow::Borrowed(reference));
        }
        let end = deadline.instant();
        let mut state = self.state();
        loop {
            match state.stage {
                Stage::Settled | Stage::Alone => break,
                Stage::Fresh if state.meanwhile.is_some() => break,
                Stage::Fresh => {
                    state.stage = Stage::Busy;
                    drop(state);
                    self.settle(end)?;
                    state = self.state();
                }
                Stage::Busy => {
                    state = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                        None => self.settles.wait(state).unwrap_or_else(PoisonError::into_inner),
                        Some(left) if left.is_zero() => return Err(Error::DeadlineExceeded),
                        Some(left) => {
                            self.settles.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                        }
                    };
                }
            }
        }
        self.reach_without_waiting(state)
    }

    /// The channel and row that calls go through, now.
    pub(crate) fn reach_now(&self) -> Result<Cow<'_, RowReference>, Error> {
        match self.settled.get() {
            Some(reference) => Ok(Cow::Borrowed(reference)),
            None => self.reach_without_waiting(self.state()),
        }
    }

    fn reach_without_waiting(
        &self,
        mut state: MutexGuard<'_, State>,
    ) -> Result<Cow<'_, RowReference>, Error> {
        if let Some(reference) = self.settled.get() {
            return Ok(Cow::Borrowed(reference));
        }
        if let Some(reference) = &state.meanwhile {
            return Ok(Cow::Owned(reference.clone()));
        }
        let transport = state.transport.clone().ok_or(Error::Disconnected)?;
        // Its socket is the channel's from now on.
        state.watch = None;
        let channel = Channel::connect(&self.pd, transport)?;
        let reference = RowReference::new(channel, RowName::FIRST);
        let is_alone = match (state.stage, self.origin) {
            (Stage::Busy, _) => false,
            (Stage::Fresh, Some(origin)) => self.pd.groups().insert(origin, &reference.channel),
            _ => true,
        };
        if is_alone {
            self.settled_with(&mut state, reference);
            return self.settled.get().map(Cow::Borrowed).ok_or(Error::Disconnected);
        }
        // Its token comes over that channel's socket.
        reference.channel.listen_for(&self.this)?;
        state.meanwhile = Some(reference.clone());
        Ok(Cow::Owned(reference))
    }

    /// Folds it, or makes it a channel. Only for who has made it busy.
    fn settle(&self, end: Option<Instant>) -> Result<(), Error> {
        let group = self.origin.and_then(|origin| self.pd.groups().get(origin));
        let transport = self.state().transport.clone();
        let folded = match (group, transport) {
            (Some(channel), Some(transport)) => fold(&channel, &transport, end).map(Some),
            _ => Ok(None),
        };
        let tried = match &folded {
            // It can be tried again, by whoever has more time.
            Err(error @ (Error::DeadlineExceeded | Error::Busy | Error::CallCycle)) => Err(error.clone()),
            _ => Ok(()),
        };
        self.conclude(folded);
        tried
    }

    /// What an attempt to settle it came to.
    pub(super) fn conclude(&self, folded: Result<Option<RowReference>, Error>) {
        let mut state = self.state();
        match folded {
            Ok(Some(reference)) => self.settled_with(&mut state, reference),
            // The first of its group becomes the channel of all of them.
            Ok(None) => {
                state.stage = Stage::Fresh;
                let _ = self.reach_without_waiting(state);
            }
            Err(Error::DeadlineExceeded | Error::Busy | Error::CallCycle) => state.stage = Stage::Fresh,
            Err(_) => state.stage = Stage::Alone,
        }
        self.settles.notify_all();
    }

    fn settled_with(&self, state: &mut State, reference: RowReference) {
        let _ = self.settled.set(reference);
        state.stage = Stage::Settled;
        // Closed where a close may block, with all that was read and not asked for.
        (state.transport, state.watch, state.meanwhile) = (None, None, None);
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

    /// The group of portals that are made of it: by its channel, once it has one.
    pub(crate) fn group(&self) -> Group {
        let reference = self.reach_now();
        reference.map_or_else(|_| Group::next(), |reference| reference.channel.group())
    }

    /// What it has come to, if it has.
    pub(crate) fn settled(&self) -> Option<&RowReference> {
        self.settled.get()
    }

    /// The entrypoint that it leads to, as far as that is known.
    pub(crate) fn entrypoint(&self) -> Option<EntrypointId> {
        self.settled()?.channel.callee_id()
    }

    /// The token has come: the watcher has it folded, or makes it the channel of its group.
    fn take_up(&self, token: Token) {
        {
            let mut state = self.state();
            if state.stage != Stage::Fresh {
                return;
            }
            state.stage = Stage::Busy;
        }
        let group = self.origin.and_then(|origin| self.pd.groups().get(origin));
        match group {
            None => self.conclude(Ok(None)),
            Some(channel) => fold_later(&self.this, &self.pd, channel, token),
        }
    }
}

/// A portal as the watcher knows it.
impl HangUp for Portal {
    /// Whoever uses it finds out.
    fn hang_up(&self) {}

    fn read(&self) -> bool {
        let transport = self.state().transport.clone();
        if let Some(Ok(Some(token))) = transport.map(|transport| transport.token()) {
            self.take_up(token);
        }
        false
    }
}
