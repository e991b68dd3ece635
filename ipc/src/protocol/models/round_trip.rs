//! Whole calls, one after the other in one lane, by sides that sleep whenever they see nothing to do: the doorbell and
//! the reply together.

use super::bounded_model;
use super::kernel::{Bell, Futex};
use crate::protocol::{doorbell, reply_wait};
use crate::sync::{AtomicU64, Ordering};
use crate::wire::head;
use loom::sync::Arc;
use loom::thread;

#[derive(Default)]
struct Channel {
    watched: AtomicU64,
    pending: AtomicU64,
    waiting: AtomicU64,
    request: AtomicU64,
    reply: AtomicU64,
    bell: Bell,
    futex: Futex,
}

const LANE: u64 = 1;

impl Channel {
    fn call(&self, sequence: u32) {
        self.request.store(sequence.into(), Ordering::Release);
        if doorbell::announce(&self.watched, &self.pending, LANE) {
            self.bell.ring();
        }
        reply_wait::intend_to_sleep(&self.waiting, LANE);
        loop {
            let word = self.reply.load(Ordering::Acquire);
            if head::sequence(word) == sequence {
                break;
            }
            self.futex.wait(&self.reply, head::sequence(word));
        }
        reply_wait::awake(&self.waiting, LANE);
    }

    fn serve(&self, calls: u64) {
        let (mut taken, mut polled) = (0, 0);
        while taken < calls {
            if doorbell::has_pending(&self.pending) {
                polled |= doorbell::take_pending(&self.pending);
                doorbell::watch(&self.watched, polled);
            }
            let word = self.request.load(Ordering::Acquire);
            if polled != 0 && word != taken {
                taken = word;
                if reply_wait::publish(&self.reply, word, &self.waiting, LANE) != 0 {
                    self.futex.wake();
                }
                continue;
            }
            doorbell::unwatch(&self.watched, 0);
            let ready = polled != 0 && self.request.load(Ordering::Relaxed) != taken;
            if !ready && !doorbell::has_pending(&self.pending) {
                polled = 0;
                self.bell.sleep();
            }
            doorbell::watch(&self.watched, polled);
        }
    }
}

#[test]
fn two_calls_by_sides_that_sleep() {
    bounded_model(3, || {
        let channel = Arc::new(Channel::default());
        let server = {
            let channel = channel.clone();
            thread::spawn(move || channel.serve(2))
        };
        channel.call(1);
        channel.call(2);
        server.join().unwrap();
    });
}
