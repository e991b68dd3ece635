//! One result from one thread to another, which waits for it for a while.

use crate::error::Error;
use portcullis_ipc::Deadline;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the two sides share.
struct Shared<R> {
    state: Mutex<State<R>>,
    kept: Condvar,
}

enum State<R> {
    Open,
    Kept(R),
    /// The other side is gone.
    Broken,
}

impl<R> Shared<R> {
    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side that waits.
pub(crate) struct Awaited<R>(Arc<Shared<R>>);

/// The side that is waited for; dropped without a result, it says that there will be none.
pub(crate) struct Promised<R>(Option<Arc<Shared<R>>>);

pub(crate) fn promise<R>() -> (Awaited<R>, Promised<R>) {
    let shared = Arc::new(Shared { state: Mutex::new(State::Open), kept: Condvar::new() });
    (Awaited(shared.clone()), Promised(Some(shared)))
}

impl<R> Awaited<R> {
    /// Waits for the result. Either this answers it or the other side gets it back: it is never lost between them.
    pub(crate) fn wait(self, deadline: Deadline) -> Result<R, Error> {
        let end = deadline.instant();
        let mut state = self.0.state();
        loop {
            match std::mem::replace(&mut *state, State::Open) {
                State::Kept(result) => return Ok(result),
                State::Broken => return Err(Error::Ended),
                State::Open => {}
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.0.kept.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => {
                    *state = State::Broken;
                    return Err(Error::DeadlineExceeded);
                }
                Some(left) => self.0.kept.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}

impl<R> Promised<R> {
    /// Hands over the result, or back if nobody waits for it any more.
    pub(crate) fn keep(mut self, result: R) -> Result<(), R> {
        let Some(shared) = self.0.take() else { return Err(result) };
        let mut state = shared.state();
        if let State::Broken = *state {
            return Err(result);
        }
        *state = State::Kept(result);
        drop(state);
        shared.kept.notify_one();
        Ok(())
    }
}

impl<R> Drop for Promised<R> {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            *shared.state() = State::Broken;
            shared.kept.notify_one();
        }
    }
}
