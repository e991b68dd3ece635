//! Who sleeps learns that the other party has ended the stream, or is said to be gone.
//!
//! `nothing_is_lost_at_an_end` depends on the second look after the end was seen, and on the acquire of what the other attends
//! to. `hang_up` depends on the release of the bell with the fence in `attend`, and on the second look. `closing` depends on
//! the fence in `attend`, on both sides.

use super::bounded_model;
use super::futex::Futex;
use crate::protocol::attention::{CLOSED, LOOKS_TO_PUT, LOOKS_TO_TAKE, SLEEPS, attend, ring, seen};
use crate::protocol::end::{Counts, End, Observer};
use crate::protocol::hang_up::{is_said, say};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
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

/// What a party put before it ended is taken, by one that looks as `Port::take` does.
#[test]
fn nothing_is_lost_at_an_end() {
    bounded_model(3, || {
        let memory = Arc::new((Memory::default(), AtomicU64::new(0), AtomicU64::new(0)));
        let of_producer = memory.clone();
        let producer = thread::spawn(move || {
            let (memory, put, taken) = &*of_producer;
            let mut end = End::producer(1, "model");
            end.step();
            let consumer = Observer { attention: &memory.sleeper.attention, looks: LOOKS_TO_TAKE };
            end.publish(Counts { own: put, other: taken }, consumer).unwrap();
            attend(&memory.other.attention, CLOSED, 0);
        });
        let (memory, put, taken) = &*memory;
        let mut end = End::consumer(1, "model");
        let counts = Counts { own: taken, other: put };
        let producers = Observer { attention: &memory.other.attention, looks: LOOKS_TO_PUT };
        loop {
            if end.ready(counts, producers).unwrap() != 0 {
                break;
            }
            if memory.other.attention.load(Ordering::Acquire) & CLOSED != 0 {
                assert_ne!(end.ready(counts, producers), Ok(0), "it is over, and an entry is left");
                break;
            }
            thread::yield_now();
        }
        producer.join().unwrap();
    });
}
