//! Who sleeps learns that the other party has ended the stream, or is said to be gone.
//!
//! `hang_up` depends on the release of the bell with the fence in `attend`, and on the second look. `closing` depends on
//! the fence in `attend`, on both sides.

use super::bounded_model;
use super::futex::Futex;
use crate::protocol::attention::{CLOSED, SLEEPS, attend, ring, seen};
use crate::protocol::hang_up::{is_said, say};
use crate::sync::{AtomicU32, Ordering};
use loom::sync::Arc;
use loom::thread;

#[derive(Default)]
struct Party {
    attention: AtomicU32,
    bell: AtomicU32,
    futex: Futex,
}

#[derive(Default)]
struct Memory {
    sleeper: Party,
    other: Party,
    gone: AtomicU32,
}

/// The sleeper's loop, until it is over.
fn sleep_until(memory: &Memory, is_over: impl Fn() -> bool) {
    let own = &memory.sleeper;
    loop {
        let bell = seen(&own.bell);
        attend(&own.attention, SLEEPS, 0);
        if is_over() {
            return;
        }
        own.futex.wait(&own.bell, bell);
        attend(&own.attention, 0, 0);
    }
}

#[test]
fn hang_up() {
    bounded_model(3, || {
        let memory = Arc::new(Memory::default());
        let of_watcher = memory.clone();
        let watcher = thread::spawn(move || {
            say(&of_watcher.gone, &of_watcher.sleeper.bell);
            of_watcher.sleeper.futex.wake();
        });
        sleep_until(&memory, || is_said(&memory.gone));
        watcher.join().unwrap();
    });
}

#[test]
fn closing() {
    bounded_model(3, || {
        let memory = Arc::new(Memory::default());
        let of_other = memory.clone();
        // What `Port::close` does.
        let other = thread::spawn(move || {
            attend(&of_other.other.attention, CLOSED, 0);
            if of_other.sleeper.attention.load(Ordering::Relaxed) & SLEEPS != 0 {
                ring(&of_other.sleeper.bell);
                of_other.sleeper.futex.wake();
            }
        });
        sleep_until(&memory, || memory.other.attention.load(Ordering::Acquire) & CLOSED != 0);
        other.join().unwrap();
    });
}
