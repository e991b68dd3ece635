//! A portal: a capability to an entrypoint that came as a socket, since its giver could not know of our channels.
//!
//! ```text
//!            ┌─ used, or its token comes, and there is no channel of its group: it becomes that ──┐
//!   fresh ───┼─ its token comes, and there is one: folding ─┬─ folded, and its socket is closed ──┼──▶ settled
//!            │                                              └─ refused: a channel of its own ─────┤
//!            └─ its other end is closed: alone ──▶ used: a channel of its own ────────────────────┘
//! ```
//! Who calls through it waits for it to be settled. Who must not wait, or has waited in vain, calls through a channel of its
//! own meanwhile; the call that is under way holds that when the portal folds.
//!
//! A *group* is what one introducer calls by one name: it says that these portals lead to one entrypoint, and all of them
//! came over one socket of ours. So a portal never folds into a channel that somebody else has introduced, and might sit
//! in the middle of. The token proves to the entrypoint which portal is meant; a lie about the group is a token that the
//! entrypoint does not know, and the portal stays a channel.

use super::channel::Channel;
use super::cycle::Waiting;
use super::fold;
use crate::capability::RowReference;
use crate::context;
use crate::deadline::Deadline;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::Pd;
use crate::pd::peer_socket::PeerSocket;
use crate::pd::watcher::{HangUp, Watch};
use crate::transport::socket::SocketTransport;
use crate::transport::{Drained, Transport};
use crate::wake::wake;
use crate::wire::head::RowName;
use crate::wire::slot::Group;
use std::borrow::Cow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// Who waits for a portal to be settled looks again after that time at the latest.
const SECOND_LOOK: Duration = Duration::from_secs(1);

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
    /// The stage has changed.
    changes: Condvar,
    /// What it has come to.
    settled: OnceLock<RowReference>,
}

struct State {
    stage: Stage,
    /// Until it is settled.
    transport: Option<Arc<SocketTransport>>,
    /// Until its socket is that of a channel.
    watch: Option<Watch>,
    /// The channel that it is meanwhile.
    meanwhile: Option<RowReference>,
    /// Somebody has waited for it to be settled, in vain.
    waited: bool,
    /// Has whoever folds it look whether it is still there.
    fold: Option<Waker>,
    /// Tasks that wait for it to be settled.
    tasks: Vec<Waker>,
    /// There was no memory, or no descriptor, for the channel that a signal would have gone through: it goes as soon as
    /// there is a channel.
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
}

impl Portal {
    pub(crate) fn new(pd: &Pd, socket: PeerSocket, origin: Option<Origin>) -> Arc<Portal> {
        let socket = Arc::new(socket);
        let transport = Some(Arc::new(SocketTransport::new(pd.clone(), socket.clone())));
        let state = State {
            stage: Stage::Alone,
            transport,
            watch: None,
            meanwhile: None,
            waited: false,
            fold: None,
            tasks: Vec::new(),
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
            portal.listen(&mut portal.state(), socket);
        }
        portal
    }

    /// Has the watcher read its token. The state is locked: the watcher may have something to tell before we have the watch.
    fn listen(&self, state: &mut State, socket: Arc<PeerSocket>) {
        let listener = self.this.clone() as Weak<dyn HangUp>;
        let watch = self.pd.watcher().and_then(|watcher| watcher.listen(socket, listener));
        state.stage = if watch.is_ok() { Stage::Fresh } else { Stage::Alone };
        state.watch = watch.ok();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channel and row that calls go through. If there is a channel that it can fold into, waits for that: the call
    /// would have to wait for the same entrypoint.
    pub(crate) fn reach(&self, deadline: Deadline) -> Result<Cow<'_, RowReference>, Error> {
        if self.settled.get().is_none() && self.state().meanwhile.is_none() {
            self.settle(deadline)?;
        }
        self.reach_now()
    }

    /// The channel and row that calls go through, now.
    pub(crate) fn reach_now(&self) -> Result<Cow<'_, RowReference>, Error> {
        if self.settled.get().is_none() {
            let mut state = self.state();
            if state.meanwhile.is_none() {
                self.connect(&mut state)?;
            }
            self.go_on(&mut state);
            if let Some(reference) = &state.meanwhile {
                return Ok(Cow::Owned(reference.clone()));
            }
            self.tell(state);
        }
        self.settled.get().map(Cow::Borrowed).ok_or(Error::Disconnected)
    }

    /// Submits a signal through what it is now. Never waits, and need not: what is submitted through a channel counts,
    /// though the portal folds and that channel ends.
    #[cold]
    pub(crate) fn submit(&self) {
        match self.reach_now() {
            Ok(reference) => reference.channel.submit(reference.row),
            Err(_) => {
                let mut state = self.state();
                // Somebody may have got there meanwhile.
                let reference = self.settled.get().or(state.meanwhile.as_ref()).cloned();
                state.submitted = reference.is_none();
                drop(state);
                reference.inspect(|reference| reference.channel.submit(reference.row));
            }
        }
    }

    /// Waits until it is settled, or will not fold, or could not fold into anything. Who waits in vain does so once.
    pub(crate) fn settle(&self, deadline: Deadline) -> Result<(), Error> {
        let end = context::start_call(deadline).deadline.instant();
        let mut waiting: Option<Waiting> = None;
        let mut is_first = true;
        loop {
            let Some(channel) = self.destination() else { return Ok(()) };
            if std::mem::take(&mut is_first) {
                waiting = Waiting::within_handler(&channel)?;
            }
            let step = waiting.as_ref().map_or(Ok(SECOND_LOOK), |waiting| waiting.look_again(&channel))?;
            let left = end.map_or(step, |end| end.saturating_duration_since(Instant::now()).min(step));
            let mut state = self.state();
            if left.is_zero() {
                state.waited = true;
                return Err(Error::DeadlineExceeded);
            }
            if state.is_under_way() {
                drop(self.changes.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// As [`settle`](Self::settle), for a task: answers whether it has to wait.
    pub(super) fn wait_to_settle(&self, waker: &Waker) -> bool {
        if self.destination().is_none() {
            return false;
        }
        let mut state = self.state();
        if state.is_under_way() && !state.tasks.iter().any(|task| task.will_wake(waker)) {
            state.tasks.push(waker.clone());
        }
        state.is_under_way()
    }

    /// The channel that it folds into, if it does and is worth waiting for.
    fn destination(&self) -> Option<Arc<Channel>> {
        let mut state = self.state();
        self.go_on(&mut state);
        let origin = self.origin.filter(|_| state.is_under_way() && !state.waited);
        if !state.is_under_way() {
            self.tell(state);
        }
        self.pd.groups().get(origin?)
    }

    /// If its token has come: has it folded, or makes it the channel of its group.
    fn go_on(&self, state: &mut State) {
        let token = state.transport.as_ref().and_then(|transport| transport.token());
        let (Stage::Fresh, Some(origin), Some(token)) = (state.stage, self.origin, token) else { return };
        match self.pd.groups().get(origin) {
            Some(channel) => match fold::present(&self.this, &self.pd, channel, token) {
                Ok(fold) => (state.stage, state.fold) = (Stage::Folding, Some(fold)),
                Err(_) => self.stay_alone(state),
            },
            // If that fails, whoever uses it finds out.
            None => drop(self.connect(state)),
        }
    }

    /// Makes it a channel: for good, unless it may still fold into another one.
    fn connect(&self, state: &mut State) -> Result<(), Error> {
        let reference = match state.meanwhile.take() {
            Some(reference) => reference,
            None => {
                // Somebody was quicker.
                let Some(transport) = state.transport.clone() else { return Ok(()) };
                // Its socket is the channel's from now on.
                let watch = state.watch.take().map(drop);
                match Channel::connect(&self.pd, transport.clone()) {
                    Ok(channel) => RowReference::new(channel, RowName::FIRST),
                    Err(error) => {
                        if watch.is_some() && state.stage == Stage::Fresh {
                            self.listen(state, transport.peer_socket());
                        }
                        return Err(error);
                    }
                }
            }
        };
        if std::mem::take(&mut state.submitted) {
            reference.channel.submit(reference.row);
        }
        let is_settled = match (state.stage, self.origin) {
            (Stage::Folding, _) => false,
            // Of two that come here at once, one is the first.
            (Stage::Fresh, Some(origin)) => self.pd.groups().insert(origin, &reference.channel),
            _ => true,
        };
        if is_settled {
            self.settle_with(state, reference);
        } else {
            // If its token has not come, it comes over that channel's socket.
            let listens = reference.channel.listen_for(&self.this);
            state.meanwhile = Some(reference);
            if listens.is_err() {
                self.stay_alone(state);
            }
        }
        Ok(())
    }

    /// It will not fold.
    fn stay_alone(&self, state: &mut State) {
        state.stage = Stage::Alone;
        if let Some(reference) = state.meanwhile.take() {
            self.settle_with(state, reference);
        }
        self.changes.notify_all();
    }

    fn settle_with(&self, state: &mut State, reference: RowReference) {
        if std::mem::take(&mut state.submitted) {
            reference.channel.submit(reference.row);
        }
        let _ = self.settled.set(reference);
        state.stage = Stage::Settled;
        // Closed where a close may block, with all that was read and not asked for.
        (state.transport, state.watch, state.meanwhile) = (None, None, None);
        self.changes.notify_all();
    }

    /// What its token was answered with.
    pub(super) fn conclude(&self, folded: Result<RowReference, Error>) {
        let mut state = self.state();
        state.fold = None;
        match folded {
            Ok(reference) => self.settle_with(&mut state, reference),
            // Not carried out: it is tried again when the portal is used.
            Err(Error::DeadlineExceeded | Error::Busy) => state.stage = Stage::Fresh,
            Err(_) => self.stay_alone(&mut state),
        }
        self.tell(state);
    }

    /// Tells everybody who waits for it that it has changed.
    fn tell(&self, mut state: MutexGuard<'_, State>) {
        self.changes.notify_all();
        let tasks = std::mem::take(&mut state.tasks);
        drop(state);
        tasks.into_iter().for_each(wake);
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

    /// The group of portals that are made of it: that of the channel which it is, or is said to fold into. If that is not
    /// true, those portals do not fold either.
    pub(crate) fn group(&self) -> Group {
        let destination = self.origin.filter(|_| self.settled.get().is_none());
        match destination.and_then(|origin| self.pd.groups().get(origin)) {
            Some(channel) => channel.group(),
            None => self.reach_now().map_or_else(|_| Group::next(), |reference| reference.channel.group()),
        }
    }

    /// What it has come to, if it has.
    #[inline]
    pub(crate) fn settled(&self) -> Option<&RowReference> {
        self.settled.get()
    }

    /// The entrypoint that it leads to, as far as that is known.
    pub(crate) fn entrypoint(&self) -> Option<EntrypointId> {
        self.settled()?.channel.callee_id()
    }

    /// The socket of the channel that it is meanwhile was read: its token may have come.
    pub(super) fn socket_was_read(&self) {
        let mut state = self.state();
        self.go_on(&mut state);
        self.tell(state);
    }
}

/// A portal as the watcher knows it.
impl HangUp for Portal {
    /// No token comes any more. Whoever uses it finds out about the rest.
    fn hang_up(&self) {
        let mut state = self.state();
        if state.stage == Stage::Fresh {
            self.stay_alone(&mut state);
        }
        self.tell(state);
    }

    fn read(&self) -> bool {
        let mut state = self.state();
        // A channel's by now: what is on its socket is not ours to take.
        let Some(transport) = state.transport.clone().filter(|_| state.watch.is_some()) else { return false };
        let drained = transport.listen();
        if drained.is_err() {
            transport.hang_up();
        }
        self.go_on(&mut state);
        self.tell(state);
        drained == Ok(Drained::More)
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
