//! Who queues for a lane gets one when it comes back.
//!
//! Depends on: the total order in `free` with the fence in `enter`, the wake under the lock, and the release of the
//! lane with the acquire in `take`.

use super::{bounded_model, model};
use crate::protocol::lane_queue::{LaneQueue, take};
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use loom::sync::Arc;
use loom::thread;

/// A channel with one lane.
#[derive(Default)]
struct Channel {
    taken: AtomicBool,
    /// What only the holder of the lane touches.
    sequence: AtomicU64,
    dead: AtomicBool,
    queue: LaneQueue,
}

impl Channel {
    /// As `Channel::take_lane` and `Channel::wait_for_lane`, without a deadline. Answers whether it got the lane.
    fn take(&self) -> bool {
        if take(&self.taken) {
            return true;
        }
        self.queue.enter();
        let got = loop {
            let look = || match take(&self.taken) {
                true => Ok(true),
                false if self.dead.load(Ordering::Acquire) => Ok(false),
                false => Err(None),
            };
            if let Some(got) = self.queue.look_or_sleep(look) {
                break got;
            }
        };
        self.queue.leave();
        got
    }

    fn use_lane(&self) {
        assert!(self.take());
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        self.queue.free(&self.taken);
    }
}

fn explore(threads: u64) {
    bounded_model(3, move || {
        let channel = Arc::new(Channel::default());
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let channel = channel.clone();
                thread::spawn(move || channel.use_lane())
            })
            .collect();
        channel.use_lane();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(channel.sequence.load(Ordering::Relaxed), threads, "each saw what the last one left");
    });
}

#[test]
fn two_threads_and_one_lane() {
    explore(2);
}

#[test]
fn three_threads_and_one_lane() {
    explore(3);
}

/// The lane never comes back, but the channel ends.
#[test]
fn end_of_the_channel_while_a_thread_queues() {
    model(|| {
        let channel = Arc::new(Channel::default());
        assert!(take(&channel.taken));
        let watcher = {
            let channel = channel.clone();
            thread::spawn(move || {
                crate::protocol::hang_up::declare(&channel.dead);
                channel.queue.wake_all();
            })
        };
        assert!(!channel.take());
        watcher.join().unwrap();
    });
}
