//! Signals that are submitted through a portal before there is a channel.

use super::{InLine, Portal, Settled};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

impl Portal {
    /// Submits a signal through what it is now, or as soon as it has been taken up. Never waits, and need not: what is submitted
    /// through a channel counts, though the portal folds and that channel ends.
    #[cold]
    pub(crate) fn submit(&self) {
        let reached = self.reach_now();
        let mut state = self.state();
        // Somebody may have got there meanwhile.
        let channel = match (self.settled(), reached) {
            (Some(Settled::Own(own)), _) => return own.submit(),
            (Some(Settled::Row(reference)), _) => Some(reference.clone()),
            (None, Ok(reached)) => reached.reference().cloned(),
            (None, Err(_)) => state.meanwhile.clone(),
        };
        if let Some(reference) = channel {
            drop(state);
            return reference.channel.submit(reference.row);
        }
        let is_first = !std::mem::replace(&mut state.submitted, true);
        let is_expected = state.is_expected();
        drop(state);
        if let Some(portal) = self.this.upgrade().filter(|_| is_first && is_expected) {
            keep(portal);
        }
    }

    /// Whether a signal was submitted that has not gone on, and may yet. If so, the waker hears of a change.
    fn has_submitted(&self, in_line: &mut Option<InLine>, waker: &Waker) -> bool {
        self.line_up(in_line, waker, |state| state.submitted && (state.is_expected() || state.is_under_way()))
    }
}

/// Keeps a portal until the signal that was submitted through it has gone on, though nobody else holds it any more: for
/// no longer than a portal may take to be taken up. Without a watcher it is not kept.
fn keep(portal: Arc<Portal>) {
    let Some(limit) = portal.introduction_limit() else { return };
    let (pd, mut alarm, mut in_line) = (portal.pd.clone(), None, None);
    let kept = poll_fn(move |context| {
        if Instant::now() >= limit || !portal.has_submitted(&mut in_line, context.waker()) {
            return Poll::Ready(());
        }
        if alarm.is_none() {
            alarm = portal.pd.watcher().ok().map(|watcher| watcher.alarm(limit, context.waker()));
        }
        Poll::Pending
    });
    if let Ok(watcher) = pd.watcher() {
        drop(watcher.run(kept));
    }
}
