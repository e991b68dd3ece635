//! After the last of any number of submits the handler runs, and finds what was there before it; whatever the server does
//! at that moment.
//!
//! Depends on: the release and the acquire of `submit` with those of `take`; the fences in `announce_unwatched` and
//! `unwatch`; that the group's bit is taken before the word.

use super::kernel::Bell;
use super::{bounded_model, model};
use crate::protocol::doorbell::{announce_unwatched, has_pending, take_pending, unwatch, watch};
use crate::protocol::signals::{submit, take};
use crate::sync::{AtomicU64, Ordering};
use crate::wire::layout::SIGNALS_SHIFT;
use loom::sync::Arc;
use loom::thread;

const GROUP: u64 = 1 << SIGNALS_SHIFT;

/// The words of a channel with one word of signals, and what their handlers look at.
#[derive(Default)]
struct Channel {
    watched: AtomicU64,
    pending: AtomicU64,
    word: AtomicU64,
    /// For each signal, a bit for each submit.
    state: [AtomicU64; 2],
    /// A row was given back.
    released: AtomicU64,
    bell: Bell,
}

impl Channel {
    /// Client: one submit, as `Channel::submit` makes it, of what is there by now.
    fn submit(&self, signal: usize, state: u64) {
        self.state[signal].fetch_or(state, Ordering::Relaxed);
        if submit(&self.word, 1 << signal) && announce_unwatched(&self.watched, &self.pending, GROUP) {
            self.bell.ring();
        }
    }

    /// The server's loop, which ends when the handlers have seen that state. Its patience is nil.
    fn serve(&self, expected: [u64; 2]) {
        let mut seen = [0; 2];
        while seen != expected {
            if has_pending(&self.pending) {
                assert_eq!(take_pending(&self.pending), GROUP);
                let taken = take(&self.word, u64::MAX);
                for signal in (0..2).filter(|signal| taken >> signal & 1 != 0) {
                    seen[signal] = self.state[signal].load(Ordering::Relaxed);
                }
                continue;
            }
            unwatch(&self.watched, 0);
            if !has_pending(&self.pending) {
                self.bell.sleep();
            }
            watch(&self.watched, 0);
        }
    }
}

/// Producers on threads of their own, the server on this one: asleep at first, or looking.
fn explore(expected: [u64; 2], producers: &'static [fn(&Channel)]) {
    for awake in [false, true] {
        let run = move || {
            let channel = Arc::new(Channel::default());
            if awake {
                watch(&channel.watched, 0);
            }
            let producers: Vec<_> = producers
                .iter()
                .map(|producer| {
                    let channel = channel.clone();
                    thread::spawn(move || producer(&channel))
                })
                .collect();
            channel.serve(expected);
            for producer in producers {
                producer.join().unwrap();
            }
        };
        bounded_model(3, run);
    }
}

const TWICE: fn(&Channel) = |channel| {
    channel.submit(0, 1);
    channel.submit(0, 2);
};

#[test]
fn one_submit() {
    explore([1, 0], &[|channel| channel.submit(0, 1)]);
}

/// The second may find the first pending, taken, or its handler running.
#[test]
fn two_submits_of_one_producer() {
    explore([3, 0], &[TWICE]);
}

/// Who finds the signal pending leaves it to the other to announce it.
#[test]
fn two_producers_of_one_signal() {
    explore([3, 0], &[|channel| channel.submit(0, 1), |channel| channel.submit(0, 2)]);
}

/// Who finds the group announced leaves it to the other to ring.
#[test]
fn two_producers_of_two_signals_in_one_group() {
    explore([1, 1], &[|channel| channel.submit(0, 1), |channel| channel.submit(1, 1)]);
}

/// The server takes the word for one of them while the other is about to set its own.
#[test]
fn two_producers_one_of_which_submits_twice() {
    explore([3, 1], &[TWICE, |channel| channel.submit(1, 1)]);
}

/// A row is given back right after a submit: its signal is taken with that, by itself, or it would be the next tenant's.
#[test]
fn signal_of_a_row_that_is_given_back() {
    model(|| {
        let channel = Arc::new(Channel::default());
        let producer = {
            let channel = channel.clone();
            thread::spawn(move || {
                channel.submit(0, 1);
                // As the ring of releases does it.
                channel.released.store(1, Ordering::Release);
            })
        };
        let mut seen = 0;
        while channel.released.load(Ordering::Acquire) == 0 {
            if has_pending(&channel.pending) {
                take_pending(&channel.pending);
                if take(&channel.word, u64::MAX) != 0 {
                    seen = channel.state[0].load(Ordering::Relaxed);
                }
            }
            thread::yield_now();
        }
        if take(&channel.word, 1) != 0 {
            seen = channel.state[0].load(Ordering::Relaxed);
        }
        assert_eq!(seen, 1);
        producer.join().unwrap();
        assert_eq!(channel.word.load(Ordering::Relaxed), 0);
    });
}
