//! A task is woken when its reply is there, through a socket that somebody else empties.
//!
//! Depends on: the fences in `intend_to_sleep` and `publish`, the look at the reply by a task that has left its waker, and
//! that by whoever emptied the socket.

use super::bounded_model;
use super::kernel::{Bell, Executor};
use crate::protocol::tasks::Tasks;
use crate::protocol::{hang_up, reply_wait};
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::wire::head;
use crate::wire::layout::LaneId;
use loom::sync::Arc;
use loom::thread;

#[derive(Default)]
struct Channel {
    waiting: AtomicU64,
    replies: [AtomicU64; 2],
    results: [AtomicU64; 2],
    tasks: Tasks,
    /// Holds one byte: what is rung while it is full finds no room.
    socket: Bell,
    over: AtomicBool,
    dead: AtomicBool,
}

fn lane(number: u32) -> LaneId {
    LaneId::new(number).unwrap()
}

impl Channel {
    /// Task: as `Channel::poll_reply`, by an executor that runs nothing else.
    fn wait(&self, lane: LaneId, sequence: u32) -> bool {
        let (executor, state) = (Executor::default(), &self.replies[lane.index()]);
        loop {
            self.tasks.wait(lane, &self.waiting, &executor.waker());
            if head::sequence(state.load(Ordering::Acquire)) == sequence {
                break;
            }
            if let Some(word) = hang_up::last_look(&self.dead, state) {
                return head::sequence(word) == sequence;
            }
            executor.sleep();
        }
        self.tasks.leave(lane, &self.waiting);
        assert_eq!(self.results[lane.index()].load(Ordering::Relaxed), u64::from(sequence));
        true
    }

    /// Server: as `Port::reply`.
    fn reply(&self, lane: LaneId, sequence: u32) {
        self.results[lane.index()].store(sequence.into(), Ordering::Relaxed);
        let state = &self.replies[lane.index()];
        if reply_wait::publish(state, sequence.into(), &self.waiting, lane.task_bit()) != 0 {
            self.socket.ring();
        }
    }

    /// Watcher: as `Channel::read`, until it is over.
    fn watch(&self, sequence: u32) {
        while !self.over.load(Ordering::Relaxed) {
            self.socket.sleep();
            let there = |lane: LaneId| {
                let state = self.replies.get(lane.index());
                state.is_some_and(|state| head::sequence(state.load(Ordering::Acquire)) == sequence)
            };
            self.tasks.wake_answered(there);
        }
    }

    fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.socket.ring();
    }
}

#[test]
fn reply_while_its_task_waits() {
    bounded_model(4, || {
        let channel = Arc::new(Channel::default());
        let (of_server, of_watcher) = (channel.clone(), channel.clone());
        let server = thread::spawn(move || of_server.reply(lane(0), 1));
        let watcher = thread::spawn(move || of_watcher.watch(1));
        assert!(channel.wait(lane(0), 1));
        server.join().unwrap();
        channel.end();
        watcher.join().unwrap();
    });
}

/// Two tasks share the word `waiting` and a socket that holds one byte.
#[test]
fn replies_in_two_lanes() {
    bounded_model(2, || {
        let channel = Arc::new(Channel::default());
        let (of_server, of_watcher, of_other) = (channel.clone(), channel.clone(), channel.clone());
        let other = thread::spawn(move || of_other.wait(lane(1), 1));
        let watcher = thread::spawn(move || of_watcher.watch(1));
        let server = thread::spawn(move || {
            of_server.reply(lane(0), 1);
            of_server.reply(lane(1), 1);
        });
        assert!(channel.wait(lane(0), 1));
        assert!(other.join().unwrap());
        server.join().unwrap();
        channel.end();
        watcher.join().unwrap();
    });
}

/// The server dies, perhaps just after it answered: as `Channel::hang_up`.
#[test]
fn death_while_a_task_waits() {
    bounded_model(4, || {
        let channel = Arc::new(Channel::default());
        let of_watcher = channel.clone();
        let watcher = thread::spawn(move || {
            hang_up::declare(&of_watcher.dead);
            of_watcher.tasks.wake_answered(|_| true);
        });
        assert!(!channel.wait(lane(0), 1));
        watcher.join().unwrap();
    });
}
