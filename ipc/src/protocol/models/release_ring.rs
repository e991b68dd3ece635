//! Releases arrive whole, in order and once, in a ring that is smaller than what goes through it.
//!
//! Depends on: the release of `head` with the consumer's acquire. The release of `tail` with the producer's acquire keeps
//! a read of an entry before the write that replaces it; loom lets no read see a later write, so that no model here
//! can fail for want of it.

use super::bounded_model;
use crate::protocol::release_ring::{Release, Ring};
use crate::sync::AtomicU64;
use loom::sync::Arc;
use loom::thread;

const CAPACITY: u16 = 2;

#[derive(Default)]
struct Memory {
    head: AtomicU64,
    tail: AtomicU64,
    entries: [AtomicU64; CAPACITY as usize],
}

impl Memory {
    fn ring(&self) -> Ring<'_> {
        Ring { head: &self.head, tail: &self.tail, entries: &self.entries }
    }
}

fn release(number: u16) -> Release {
    Release { row: number.into(), grants: number, sent: number }
}

/// `count` releases from a count that goes round soon.
fn explore(count: u16) {
    bounded_model(3, move || {
        let start = u64::MAX - 1;
        let memory = Arc::new(Memory {
            head: AtomicU64::new(start),
            tail: AtomicU64::new(start),
            ..Memory::default()
        });
        let client = {
            let memory = memory.clone();
            thread::spawn(move || {
                let mut head = start;
                for number in 1..=count {
                    while !memory.ring().push(&mut head, release(number)) {
                        thread::yield_now();
                    }
                }
            })
        };
        let mut tail = start;
        for number in 1..=count {
            let popped = loop {
                match memory.ring().pop(&mut tail).expect("a client that keeps to the rules") {
                    Some(popped) => break popped,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(popped, release(number));
        }
        client.join().unwrap();
        assert_eq!(memory.ring().pop(&mut tail), Ok(None), "nothing arrives twice");
    });
}

#[test]
fn a_ring_full() {
    explore(CAPACITY);
}

#[test]
fn more_than_a_ring_full() {
    explore(2 * CAPACITY);
}
