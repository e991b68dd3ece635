//! The death of the server ends every call, whether it has just begun, is about to sleep, or sleeps.
//!
//! Depends on: the fence in `declare` with that in `intend_to_sleep`, and the change of the word; for the last answer of
//! a dead server, on the release and the acquire of `dead` and the second look at the word.

use super::kernel::{Bell, Futex};
use super::{bounded_model, model};
use crate::protocol::{hang_up, reply_wait};
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::wire::head;
use loom::sync::Arc;
use loom::thread;

/// A channel with one lane whose last call was answered.
struct Channel {
    dead: AtomicBool,
    sequence: AtomicU32,
    waiting: AtomicU64,
    state: AtomicU64,
    futex: Futex,
    /// Brings the request to the server.
    bell: Bell,
}

const BEFORE: u32 = 4;
const NOW: u32 = 5;

#[derive(Debug, PartialEq, Eq)]
enum End {
    Answered,
    Disconnected,
}

impl Channel {
    fn new() -> Channel {
        Channel {
            dead: AtomicBool::new(false),
            sequence: AtomicU32::new(BEFORE),
            waiting: AtomicU64::new(0),
            state: AtomicU64::new(BEFORE.into()),
            futex: Futex::default(),
            bell: Bell::default(),
        }
    }

    /// A thread that calls: as `Channel::call` and `Channel::sleep_for_reply`, which looks at nothing before.
    fn call(&self) -> End {
        self.sequence.store(NOW, Ordering::Relaxed);
        self.bell.ring();
        reply_wait::intend_to_sleep(&self.waiting, 1);
        loop {
            let word = self.state.load(Ordering::Acquire);
            if head::sequence(word) == NOW {
                return End::Answered;
            }
            if let Some(word) = hang_up::last_look(&self.dead, &self.state) {
                return if head::sequence(word) == NOW { End::Answered } else { End::Disconnected };
            }
            self.futex.wait(&self.state, head::sequence(word));
        }
    }

    /// The server: as `Port::take` and `Port::reply`.
    fn answer(&self) {
        self.bell.sleep();
        if reply_wait::publish(&self.state, NOW.into(), &self.waiting, 1) != 0 {
            self.futex.wake();
        }
    }

    /// The watcher: as `Channel::hang_up`.
    fn hang_up(&self) {
        hang_up::declare(&self.dead);
        hang_up::unsettle(&self.state, self.sequence.load(Ordering::Relaxed));
        self.futex.wake();
    }
}

#[test]
fn death_while_a_call_falls_asleep() {
    model(|| {
        let channel = Arc::new(Channel::new());
        let watcher = {
            let channel = channel.clone();
            thread::spawn(move || channel.hang_up())
        };
        assert_eq!(channel.call(), End::Disconnected);
        watcher.join().unwrap();
    });
}

/// The server answers and then dies: the caller gets the answer.
#[test]
fn death_after_an_answer() {
    bounded_model(3, || {
        let channel = Arc::new(Channel::new());
        let (server, watcher) = (channel.clone(), channel.clone());
        let socket = Arc::new(Bell::default());
        let of_watcher = socket.clone();
        let watcher = thread::spawn(move || {
            of_watcher.sleep();
            watcher.hang_up();
        });
        let server = thread::spawn(move || {
            server.answer();
            socket.ring();
        });
        assert_eq!(channel.call(), End::Answered);
        server.join().unwrap();
        watcher.join().unwrap();
    });
}

/// We hang up on a server that lives, and that answers at this moment: the caller gets either.
#[test]
fn death_while_an_answer_comes() {
    bounded_model(3, || {
        let channel = Arc::new(Channel::new());
        let (server, watcher) = (channel.clone(), channel.clone());
        let server = thread::spawn(move || server.answer());
        let watcher = thread::spawn(move || watcher.hang_up());
        channel.call();
        server.join().unwrap();
        watcher.join().unwrap();
    });
}
