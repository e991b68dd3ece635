//! Entries arrive whole, in order and once, through a queue that is shorter than what goes through it, and nobody sleeps
//! on an entry or on room for one.
//!
//! Depends on: the release in `publish` with the acquire in `look`; the fence in `publish` and that in `attend`; the fresh look
//! between fence and comparison in `publish`, and the comparison at both ends; that `ring` changes the bell; the second
//! look of whoever sleeps.

use super::bounded_model;
use super::futex::Futex;
use crate::protocol::attention::{LOOKS_TO_PUT, LOOKS_TO_TAKE, SLEEPS, attend, ring, seen};
use crate::protocol::end::{Counts, End, Observer};
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
    put: AtomicU64,
    taken: AtomicU64,
    entries: [AtomicU64; 2],
    producer: Party,
    consumer: Party,
}

/// One thread's view of the queue.
struct Side<'a> {
    counts: Counts<'a>,
    entries: &'a [AtomicU64],
    end: End,
    own: &'a Party,
    looks: u32,
    other: &'a Party,
    observer: Observer<'a>,
    manner: Manner,
}

/// How a side waits.
#[derive(Clone, Copy)]
enum Manner {
    /// It says that it looks by itself whenever it is awake.
    Looks,
    /// It always relies on signals, as a handler does.
    Signals,
}

impl Memory {
    fn producer(&self, start: u64, capacity: u32, manner: Manner) -> Side<'_> {
        let end = End::starting_at(start, capacity, capacity.into(), "model");
        let counts = Counts { own: &self.put, other: &self.taken };
        self.side(counts, end, [&self.producer, &self.consumer], [LOOKS_TO_PUT, LOOKS_TO_TAKE], manner)
    }

    fn consumer(&self, start: u64, capacity: u32, manner: Manner) -> Side<'_> {
        let end = End::starting_at(start, capacity, 0, "model");
        let counts = Counts { own: &self.taken, other: &self.put };
        self.side(counts, end, [&self.consumer, &self.producer], [LOOKS_TO_TAKE, LOOKS_TO_PUT], manner)
    }

    fn side<'a>(
        &'a self,
        counts: Counts<'a>,
        end: End,
        [own, other]: [&'a Party; 2],
        [looks, other_looks]: [u32; 2],
        manner: Manner,
    ) -> Side<'a> {
        if let Manner::Looks = manner {
            attend(&own.attention, looks, 0);
        }
        let observer = Observer { attention: &other.attention, looks: other_looks };
        Side { counts, entries: &self.entries, end, own, looks, other, observer, manner }
    }
}

impl Side<'_> {
    fn ready(&mut self) -> u64 {
        self.end.ready(self.counts, self.observer).unwrap()
    }

    /// What `wakeup` does.
    fn wakeup(&mut self) {
        self.end.publish(self.counts, self.observer).unwrap();
        if self.end.take_edge(self.observer) {
            ring(&self.other.bell);
            self.other.futex.wake();
        }
    }

    /// Sleeps until there is an entry to put or to take.
    fn wait(&mut self) {
        while self.ready() == 0 {
            self.wakeup();
            let bell = seen(&self.own.bell);
            attend(&self.own.attention, SLEEPS, 0);
            if self.ready() == 0 {
                self.own.futex.wait(&self.own.bell, bell);
            }
            if let Manner::Looks = self.manner {
                attend(&self.own.attention, self.looks, 0);
            }
        }
    }

    /// Touches `count` entries, `batch` of them to one wake-up.
    fn run(&mut self, count: u64, batch: u64, touch: impl Fn(&AtomicU64, u64)) {
        for number in 1..=count {
            self.wait();
            touch(&self.entries[self.end.step()], number);
            if number % batch == 0 || number == count {
                self.wakeup();
            }
        }
    }
}

/// `count` entries from a count that goes round soon.
fn explore(capacity: u32, count: u64, [puts, takes]: [u64; 2], manners: [Manner; 2]) {
    let start = u64::MAX - 1;
    bounded_model(3, move || {
        let memory = Memory { put: AtomicU64::new(start), taken: AtomicU64::new(start), ..Memory::default() };
        let memory = Arc::new(memory);
        let of_producer = memory.clone();
        let producer = thread::spawn(move || {
            let mut producer = of_producer.producer(start, capacity, manners[0]);
            producer.run(count, puts, |entry, number| entry.store(number, Ordering::Relaxed));
        });
        let mut consumer = memory.consumer(start, capacity, manners[1]);
        consumer.run(count, takes, |entry, number| assert_eq!(entry.load(Ordering::Relaxed), number));
        producer.join().unwrap();
        assert_eq!(consumer.ready(), 0, "nothing arrives twice");
    });
}

#[test]
fn one_by_one_through_a_queue_of_one() {
    explore(1, 2, [1, 1], [Manner::Signals, Manner::Signals]);
    explore(1, 2, [1, 1], [Manner::Looks, Manner::Looks]);
}

#[test]
fn one_by_one_through_a_queue_of_two() {
    explore(2, 3, [1, 1], [Manner::Signals, Manner::Signals]);
    explore(2, 3, [1, 1], [Manner::Looks, Manner::Looks]);
}

#[test]
fn one_side_looks_and_the_other_relies_on_signals() {
    explore(2, 3, [1, 1], [Manner::Signals, Manner::Looks]);
    explore(2, 3, [1, 1], [Manner::Looks, Manner::Signals]);
}

/// Sides that show and tell what they did at once; one never comes to the end of its batch before it has to wait.
#[test]
fn in_batches() {
    explore(2, 4, [2, 2], [Manner::Signals, Manner::Signals]);
    explore(2, 4, [4, 1], [Manner::Looks, Manner::Looks]);
    explore(2, 4, [1, 4], [Manner::Signals, Manner::Looks]);
}
