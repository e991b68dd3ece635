//! Who queues for a lane gets one when it comes back.
//!
//! Depends on: the total order in `free` with the fences in `enter` and `line_up`, the wake of threads under the lock, the
//! second look of a task, the wake of the next by a task that leaves, and the release of the lane with the acquire in
//! `take`.

use super::kernel::Executor;
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

    /// As `Channel::poll_lane`, until it gets the lane.
    fn take_as_task(&self) {
        let (executor, mut place) = (Executor::default(), None);
        while self.queue.poll(&mut place, &executor.waker(), || take(&self.taken).then_some(())).is_none() {
            executor.sleep();
        }
        assert_eq!(place, None);
    }

    fn use_lane_as_task(&self) {
        self.take_as_task();
        self.free();
    }

    fn use_lane(&self) {
        assert!(self.take());
        self.free();
    }

    fn free(&self) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        self.queue.free(&self.taken);
    }
}

fn explore<const N: usize>(users: [fn(&Channel); N]) {
    bounded_model(3, move || {
        let channel = Arc::new(Channel::default());
        let others: Vec<_> = users[1..]
            .iter()
            .map(|user| {
                let (channel, user) = (channel.clone(), *user);
                thread::spawn(move || user(&channel))
            })
            .collect();
        users[0](&channel);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(
            channel.sequence.load(Ordering::Relaxed),
            users.len() as u64,
            "each saw what the last one left"
        );
    });
}

#[test]
fn two_threads_and_one_lane() {
    explore([Channel::use_lane; 2]);
}

#[test]
fn three_threads_and_one_lane() {
    explore([Channel::use_lane; 3]);
}

#[test]
fn two_tasks_and_one_lane() {
    explore([Channel::use_lane_as_task; 2]);
}

#[test]
fn three_tasks_and_one_lane() {
    explore([Channel::use_lane_as_task; 3]);
}

#[test]
fn tasks_and_a_thread_and_one_lane() {
    explore([Channel::use_lane_as_task, Channel::use_lane, Channel::use_lane_as_task]);
}

/// A task that is in line is dropped, perhaps when it was just woken: the next one gets the lane.
#[test]
fn a_task_leaves_the_line() {
    bounded_model(3, || {
        let channel = Arc::new(Channel::default());
        assert!(take(&channel.taken));
        let (executor, mut place) = (Executor::default(), None);
        assert!(channel.queue.poll(&mut place, &executor.waker(), || None::<()>).is_none());
        let next = {
            let channel = channel.clone();
            thread::spawn(move || channel.take_as_task())
        };
        let leaving = {
            let channel = channel.clone();
            thread::spawn(move || place.into_iter().for_each(|place| channel.queue.leave_line(place)))
        };
        channel.free();
        next.join().unwrap();
        leaving.join().unwrap();
    });
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

#[test]
fn end_of_the_channel_while_a_task_queues() {
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
        let (executor, mut place) = (Executor::default(), None);
        loop {
            assert!(channel.queue.poll(&mut place, &executor.waker(), || None::<()>).is_none());
            if channel.dead.load(Ordering::Acquire) {
                break;
            }
            executor.sleep();
        }
        watcher.join().unwrap();
    });
}
