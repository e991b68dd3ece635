//! Waiting for a portal: what for, and threads that do.

use super::Portal;
use crate::client::callee::Callee;
use crate::client::channel::Channel;
use crate::client::cycle::Waiting;
use crate::context;
use crate::deadline::Deadline;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::sys::socket;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Who waits for a portal looks again after that time at the latest.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// How long a portal may take to be taken up if neither the call nor the domain says so.
const PATIENCE: Duration = Duration::from_secs(5);

/// What somebody waits for who cannot go on with a portal yet.
pub(super) enum Awaited {
    /// That its entrypoint takes it up.
    Ticket(Option<Arc<Callee>>),
    /// That it folds into that channel.
    Fold(Arc<Channel>),
}

impl Awaited {
    /// The entrypoint that must do something.
    fn callee(&self) -> Result<Option<&Callee>, Error> {
        match self {
            Awaited::Ticket(callee) => Ok(callee.as_deref()),
            Awaited::Fold(channel) => channel.callee(),
        }
    }
}

impl Portal {
    /// Waits until it is settled, or will not fold, or could not fold into anything. Who waits for that in vain does so once.
    pub(crate) fn settle(&self, deadline: Deadline) -> Result<(), Error> {
        self.wait(deadline, false)
    }

    /// As [`settle`](Self::settle), and if asked to until its entrypoint has taken it up: until then nobody can see that entrypoint
    /// die, if whoever made the portal kept a copy. So there is a limit to that, though the call has none.
    pub(crate) fn wait(&self, deadline: Deadline, for_ticket: bool) -> Result<(), Error> {
        let end = context::start_call(deadline).deadline.instant();
        let is_unlimited = end.is_none();
        let limit = end.or_else(|| self.introduction_limit());
        let mut waiting: Option<Waiting> = None;
        let mut is_first = true;
        loop {
            let Some(awaited) = self.awaited(for_ticket) else { return Ok(()) };
            let is_fold = matches!(awaited, Awaited::Fold(_));
            if std::mem::take(&mut is_first) {
                waiting = Waiting::within_handler(awaited.callee()?)?;
            }
            let step = match &waiting {
                Some(waiting) => waiting.look_again(awaited.callee()?)?,
                None => SECOND_LOOK,
            };
            let end = if is_fold { end } else { limit };
            let left = end.map_or(step, |end| end.saturating_duration_since(Instant::now()).min(step));
            let mut state = self.state();
            if left.is_zero() {
                state.waited |= is_fold;
                return Err(if is_unlimited { Error::NotTakenUp } else { Error::DeadlineExceeded });
            }
            if !is_fold && state.is_unread {
                return Err(socket::NO_ROOM);
            }
            let goes_on = if is_fold { state.is_under_way() } else { state.is_expected() };
            if goes_on {
                drop(self.changes.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Until when a portal that came just now must be taken up, for a call without a limit.
    pub(crate) fn introduction_limit(&self) -> Option<Instant> {
        self.pd.default_deadline().instant().or_else(|| Instant::now().checked_add(PATIENCE))
    }

    /// Whether its ticket is to come from that entrypoint, as far as has been said. If it has come, it has come home.
    pub(crate) fn is_expected_at(&self, entrypoint: EntrypointId) -> bool {
        // As a rule it is another's, which costs nothing to see.
        if !self.origin.is_some_and(|origin| origin.group.may_lead_to(entrypoint)) {
            return false;
        }
        let mut state = self.state();
        self.look(&mut state);
        self.come_home_by_token(&mut state);
        let is_its = state.callee.as_ref().is_some_and(|callee| callee.id() == entrypoint);
        let is_expected = is_its && state.is_expected();
        self.tell(state);
        is_expected
    }

    /// What is to be waited for, if anything is.
    pub(super) fn awaited(&self, for_ticket: bool) -> Option<Awaited> {
        let mut state = self.state();
        self.go_on(&mut state);
        let folds = self.origin.filter(|_| state.is_under_way() && !state.waited);
        if let Some(channel) = folds.and_then(|origin| self.pd.groups().get(origin)) {
            return Some(Awaited::Fold(channel));
        }
        if for_ticket && state.is_expected() {
            return Some(Awaited::Ticket(state.callee.clone()));
        }
        self.tell(state);
        None
    }
}
