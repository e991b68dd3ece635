//! The threads that close what strangers sent.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A close that takes as long as this is one that a stranger has made slow: others are not to wait for it.
const SLOW: Duration = Duration::from_millis(5);
/// So many slow ones are under way at once at most; what comes then waits.
const MOST_THREADS: usize = 32;

/// Closes descriptors on threads of its own. They are not the watcher's: while a close takes as long as a stranger likes,
/// deaths must still be seen.
///
/// One of them closes. While it is at it and more waits, another one looks on, and closes in its stead if that hangs; then
/// there is a third to look on, and so on. So what waits does so for no longer than [`SLOW`] for each slow one before it, as long
/// as fewer hang than there may be threads.
#[derive(Debug)]
pub(super) struct Closer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// There is something to close, or nothing more comes.
    wanted: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<OwnedFd>,
    threads: usize,
    /// Of these, those that close nothing.
    idle: usize,
    /// The close that is under way, if nobody has found that it hangs.
    turn: Option<Turn>,
    /// How many were begun.
    turns: u64,
    /// Nothing more comes.
    ended: bool,
}

/// A close that is under way.
#[derive(Clone, Copy, Debug)]
struct Turn {
    number: u64,
    since: Instant,
}

impl Closer {
    /// Its threads end when this is dropped and all is closed.
    pub(super) fn start() -> Closer {
        let state =
            State { waiting: VecDeque::new(), threads: 0, idle: 0, turn: None, turns: 0, ended: false };
        Closer(Arc::new(Shared { state: Mutex::new(state), wanted: Condvar::new() }))
    }

    pub(super) fn close(&self, descriptors: impl Iterator<Item = OwnedFd>) {
        let mut state = self.0.state();
        state.waiting.extend(descriptors);
        self.0.see_to_it_that_one_looks(&mut state);
        if state.threads == 0 {
            // If there is no thread to be had, they are closed by whoever brings them.
            let left = std::mem::take(&mut state.waiting);
            drop(state);
            drop(left);
        }
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.wanted.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// While something waits, some thread is to look when it should be closed.
    fn see_to_it_that_one_looks(self: &Arc<Self>, state: &mut State) {
        if state.waiting.is_empty() {
            return;
        }
        if state.idle != 0 {
            return self.wanted.notify_one();
        }
        if state.threads == MOST_THREADS {
            return;
        }
        let shared = self.clone();
        let thread = std::thread::Builder::new().name("portcullis-close".into());
        if thread.spawn(move || shared.run()).is_ok() {
            // Idle until it has begun.
            (state.threads, state.idle) = (state.threads + 1, state.idle + 1);
        }
    }

    fn run(self: Arc<Self>) {
        let mut state = self.state();
        loop {
            let left = state.turn.map_or(Duration::ZERO, |turn| SLOW.saturating_sub(turn.since.elapsed()));
            if state.waiting.is_empty() {
                if state.ended {
                    return;
                }
                state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else if !left.is_zero() {
                let woken = self.wanted.wait_timeout(state, left);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state = self.take_turn(state);
            }
        }
    }

    /// Closes the first that waits. Whoever was at one before hangs, or is done.
    fn take_turn<'a>(self: &'a Arc<Self>, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let descriptor = state.waiting.pop_front();
        let number = state.turns;
        (state.turn, state.turns) = (Some(Turn { number, since: Instant::now() }), number + 1);
        state.idle -= 1;
        self.see_to_it_that_one_looks(&mut state);
        drop(state);
        drop(descriptor);
        let mut state = self.state();
        state.idle += 1;
        // Unless it hung, and another one has the turn.
        state.turn.take_if(|turn| turn.number == number);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{slow, socket};
    use std::os::fd::AsFd;

    fn eventually(holds: impl Fn() -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(30);
        while !holds() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        holds()
    }

    #[test]
    fn attack_44_what_is_queued_behind_slow_closes_waits_for_none_of_them() {
        let closer = Closer::start();
        // With no thread at first, and later with some that sleep.
        for count in [1, 1, 5, MOST_THREADS - 1] {
            let (slow, others): (Vec<_>, Vec<_>) = (0..count).map(|_| slow::lingering()).unzip();
            let (innocent, other) = socket::pair().unwrap();
            // All at once, and nobody brings anything later.
            closer.close(slow.into_iter().chain([innocent]));
            assert!(eventually(|| socket::has_ended(other.as_fd())), "it waits behind {count}");
            assert!(closer.0.state().threads <= MOST_THREADS);
            drop(others);
            let all_sleep = |state: &State| state.idle == state.threads && state.waiting.is_empty();
            assert!(eventually(|| all_sleep(&closer.0.state())));
        }
    }

    #[test]
    fn all_is_closed_in_the_end_when_as_many_hang_as_there_may_be() {
        let closer = Closer::start();
        let (slow, others): (Vec<_>, Vec<_>) = (0..MOST_THREADS).map(|_| slow::lingering()).unzip();
        let (innocent, other) = socket::pair().unwrap();
        closer.close(slow.into_iter().chain([innocent]));
        drop(closer);
        drop(others);
        assert!(eventually(|| socket::has_ended(other.as_fd())));
    }
}
