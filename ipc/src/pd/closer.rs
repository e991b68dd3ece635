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
/// deaths must still be seen. There is one, and another one whenever those that there are hang.
#[derive(Debug)]
pub(super) struct Closer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wanted: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<OwnedFd>,
    threads: usize,
    idle: usize,
    /// When a thread last began or ended with one.
    progress: Instant,
    /// Nothing more comes.
    ended: bool,
}

impl Closer {
    /// Its threads end when this is dropped and all is closed.
    pub(super) fn start() -> Closer {
        let state =
            State { waiting: VecDeque::new(), threads: 0, idle: 0, progress: Instant::now(), ended: false };
        Closer(Arc::new(Shared { state: Mutex::new(state), wanted: Condvar::new() }))
    }

    pub(super) fn close(&self, descriptors: impl Iterator<Item = OwnedFd>) {
        let mut state = self.0.state();
        state.waiting.extend(descriptors);
        let hangs = state.idle == 0 && state.progress.elapsed() >= SLOW && state.threads < MOST_THREADS;
        if state.threads == 0 || hangs {
            state.threads += 1;
            state.progress = Instant::now();
            let shared = self.0.clone();
            let thread = std::thread::Builder::new().name("portcullis-close".into());
            if thread.spawn(move || shared.run()).is_err() {
                state.threads -= 1;
                if state.threads == 0 {
                    // If there is no thread to be had, they are closed by whoever brings them.
                    let left = std::mem::take(&mut state.waiting);
                    drop(state);
                    return drop(left);
                }
            }
        }
        drop(state);
        self.0.wanted.notify_one();
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

    fn run(&self) {
        let mut state = self.state();
        loop {
            if let Some(descriptor) = state.waiting.pop_front() {
                state.progress = Instant::now();
                drop(state);
                drop(descriptor);
                state = self.state();
                state.progress = Instant::now();
            } else if state.ended {
                return;
            } else {
                state.idle += 1;
                state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}
