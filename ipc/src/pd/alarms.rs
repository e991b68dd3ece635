//! When tasks want to be woken: what the watcher knows of time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

/// The alarms of a domain, and until when its watcher sleeps.
#[derive(Debug, Default)]
pub(super) struct Alarms(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    due: BTreeMap<Name, Waker>,
    /// When the watcher looks here again, at the latest. It may have nothing to do then: an alarm that is removed
    /// changes nothing of it, so that calls that are answered in time seldom ring.
    next_look: Option<Instant>,
}

/// An alarm: when, and which of those.
pub(super) type Name = (Instant, u64);

// Wakers are the executor's code, which may come back here: they are dropped without the lock.
impl Alarms {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an alarm. Answers whether the watcher must be rung, since it would look too late.
    pub(super) fn add(&self, at: Instant, waker: &Waker) -> (Name, bool) {
        let waker = waker.clone();
        let mut state = self.state();
        state.last += 1;
        let name = (at, state.last);
        state.due.insert(name, waker);
        let too_late = state.next_look.is_none_or(|look| at < look);
        if too_late {
            state.next_look = Some(at);
        }
        (name, too_late)
    }

    /// The alarm wakes another waker, if that is another.
    pub(super) fn renew(&self, name: Name, waker: &Waker) {
        let waker = waker.clone();
        let old = self.state().due.get_mut(&name).map(|known| std::mem::replace(known, waker));
        drop(old);
    }

    pub(super) fn remove(&self, name: Name) {
        let removed = self.state().due.remove(&name);
        drop(removed);
    }

    /// Watcher: it is about to sleep. What is due, and how long it may sleep.
    pub(super) fn take_due(&self, now: Instant) -> (Vec<Waker>, Option<Duration>) {
        let mut state = self.state();
        let mut due = Vec::new();
        while let Some(first) = state.due.first_entry().filter(|first| first.key().0 <= now) {
            due.push(first.remove());
        }
        state.next_look = state.due.first_key_value().map(|((at, _), _)| *at);
        (due, state.next_look.map(|at| at - now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_watcher_is_rung_only_for_what_it_would_miss() {
        let (alarms, waker, now) = (Alarms::default(), Waker::noop(), Instant::now());
        assert!(alarms.add(now + 5 * SECOND, waker).1, "it knew of none");
        assert_eq!(alarms.take_due(now).1, Some(5 * SECOND));
        assert!(!alarms.add(now + 6 * SECOND, waker).1, "later");
        let (sooner, ring) = alarms.add(now + 4 * SECOND, waker);
        assert!(ring, "sooner");
        assert!(!alarms.add(now + 4 * SECOND, waker).1, "it was rung for that");
        alarms.remove(sooner);
        assert_eq!(alarms.take_due(now).1, Some(4 * SECOND));
    }

    #[test]
    fn what_is_due_is_taken_once() {
        let (alarms, waker, now) = (Alarms::default(), Waker::noop(), Instant::now());
        let (removed, _) = alarms.add(now + SECOND, waker);
        alarms.add(now + SECOND, waker);
        alarms.add(now + SECOND, waker);
        alarms.add(now + 3 * SECOND, waker);
        alarms.remove(removed);
        let (due, left) = alarms.take_due(now + 2 * SECOND);
        assert_eq!((due.len(), left), (2, Some(SECOND)));
        let (due, left) = alarms.take_due(now + 3 * SECOND);
        assert_eq!((due.len(), left), (1, None));
    }
}
