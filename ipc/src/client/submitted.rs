//! Signals that were submitted through a portal that nobody had taken up.

use super::portal::Portal;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

/// Keeps a portal until the signal that was submitted through it has gone on, though nobody else holds it any more: for
/// no longer than a portal may take to be taken up. Without a watcher it is not kept.
pub(super) fn keep(portal: Arc<Portal>) {
    let (pd, mut alarm) = (portal.pd().clone(), None);
    let Some(limit) = portal.introduction_limit() else { return };
    let of_portal = pd.clone();
    let kept = poll_fn(move |context| {
        if Instant::now() >= limit || !portal.has_submitted(context.waker()) {
            return Poll::Ready(());
        }
        if alarm.is_none() {
            alarm = of_portal.watcher().ok().map(|watcher| watcher.alarm(limit, context.waker()));
        }
        Poll::Pending
    });
    if let Ok(watcher) = pd.watcher() {
        drop(watcher.run(kept));
    }
}
