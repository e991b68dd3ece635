//! A reply is seen, whatever its client does at that moment: no client sleeps on a reply that is there.
//!
//! Depends on: the fences in `intend_to_sleep` and `publish`, and the release of the state with the client's acquire.

use super::kernel::Futex;
use super::{bounded_model, model};
use crate::protocol::reply_wait::{awake, intend_to_sleep, publish};
use crate::sync::{AtomicU64, Ordering};
use crate::wire::head;
use loom::sync::Arc;
use loom::thread;

#[derive(Default)]
struct Channel {
    waiting: AtomicU64,
    replies: [AtomicU64; 2],
    results: [AtomicU64; 2],
    futexes: [Futex; 2],
}

impl Channel {
    /// Client: as `Channel::sleep_for_reply`, without looking first.
    fn wait(&self, lane: usize, sequence: u32) {
        let state = &self.replies[lane];
        intend_to_sleep(&self.waiting, 1 << lane);
        loop {
            let word = state.load(Ordering::Acquire);
            if head::sequence(word) == sequence {
                break;
            }
            self.futexes[lane].wait(state, head::sequence(word));
        }
        awake(&self.waiting, 1 << lane);
        assert_eq!(self.results[lane].load(Ordering::Relaxed), u64::from(sequence));
    }

    /// Server: as `Port::reply`.
    fn reply(&self, lane: usize, sequence: u32) {
        self.results[lane].store(sequence.into(), Ordering::Relaxed);
        if publish(&self.replies[lane], sequence.into(), &self.waiting, 1 << lane) != 0 {
            self.futexes[lane].wake();
        }
    }
}

fn explore(client: fn(&Channel), server: fn(&Channel)) {
    model(move || {
        let channel = Arc::new(Channel::default());
        let server = {
            let channel = channel.clone();
            thread::spawn(move || server(&channel))
        };
        client(&channel);
        server.join().unwrap();
    });
}

#[test]
fn reply_while_its_client_falls_asleep() {
    explore(|channel| channel.wait(0, 1), |channel| channel.reply(0, 1));
}

/// Two threads of a client share the word `waiting`.
#[test]
fn replies_in_two_lanes() {
    bounded_model(3, || {
        let channel = Arc::new(Channel::default());
        let threads: Vec<_> = [0, 1]
            .map(|lane| {
                let channel = channel.clone();
                thread::spawn(move || channel.wait(lane, 1))
            })
            .into();
        channel.reply(0, 1);
        channel.reply(1, 1);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The late wake of one call meets the next call in its lane.
#[test]
fn replies_one_after_the_other() {
    bounded_model(3, || {
        let channel = Arc::new(Channel::default());
        let next = Arc::new(super::kernel::Bell::default());
        let server = {
            let (channel, next) = (channel.clone(), next.clone());
            thread::spawn(move || {
                channel.reply(0, 1);
                next.sleep();
                channel.reply(0, 2);
            })
        };
        channel.wait(0, 1);
        next.ring();
        channel.wait(0, 2);
        server.join().unwrap();
    });
}
