//! Two entrypoints that call each other at once: one of them at least finds out. And what a client reads of an entrypoint
//! that waits for one after the other belongs together.
//!
//! Depends on: the fence in `announce` on both sides; for the words, on the release in `enter` with the acquire in
//! `glimpse`, and the fence in `leave` with that in `glimpse`; for what is withdrawn, on the fences in `leave` and
//! `still_waits`.

use super::model;
use crate::protocol::waits::{self, Seen, Wait, Word};
use crate::protocol::{doorbell, reply_wait};
use crate::sync::{AtomicU64, Ordering};
use loom::sync::Arc;
use loom::thread;

#[derive(Default)]
struct Page([AtomicU64; 3]);

impl Page {
    fn enter(&self, wait: Wait) {
        waits::enter(|word| &self.0[word as usize], wait);
    }

    fn leave(&self) {
        waits::leave(|word| &self.0[word as usize]);
    }

    fn glimpse(&self) -> Option<Seen> {
        waits::glimpse(|word, ordering| self.0[word as usize].load(ordering))
    }

    fn still_waits(&self, seen: Seen) -> bool {
        waits::still_waits(seen, |word, ordering| self.0[word as usize].load(ordering))
    }
}

/// An entrypoint with one client, the other one.
#[derive(Default)]
struct Entrypoint {
    page: Page,
    request: AtomicU64,
    watched: AtomicU64,
    pending: AtomicU64,
}

impl Entrypoint {
    /// Calls the other: as `Channel::call`. Answers whether it found that the other waits for it, and that the other's
    /// request is there.
    fn call(&self, own: u64, other: &Entrypoint, of_other: u64) -> bool {
        self.page.enter(Wait { chain: own, callee: of_other });
        other.request.store(own, Ordering::Release);
        doorbell::announce(&other.watched, &other.pending, 1);
        let seen = other.page.glimpse();
        seen.is_some_and(|seen| seen.wait.callee == own && self.request.load(Ordering::Acquire) == of_other)
    }
}

#[test]
fn two_that_call_each_other_at_once() {
    model(|| {
        let one = Arc::new(Entrypoint::default());
        let other = Arc::new(Entrypoint::default());
        let (their_one, their_other) = (one.clone(), other.clone());
        let thread = thread::spawn(move || their_other.call(2, &their_one, 1));
        let found = one.call(1, &other, 2);
        assert!(thread.join().unwrap() | found, "both wait for ever");
    });
}

#[test]
fn words_of_one_wait_belong_together() {
    model(|| {
        let page = Arc::new(Page::default());
        let of_client = page.clone();
        let client = thread::spawn(move || of_client.glimpse());
        for number in 1..=2 {
            page.enter(Wait { chain: number, callee: number });
            page.leave();
        }
        if let Some(seen) = client.join().unwrap() {
            assert_eq!(seen.wait.chain, seen.wait.callee);
        }
    });
}

/// Who is seen to wait after he has answered is seen to have answered.
#[test]
fn who_has_answered_and_calls_then() {
    model(|| {
        let caller = Arc::new(Entrypoint::default());
        let of_caller = caller.clone();
        let thread = thread::spawn(move || {
            reply_wait::publish(&of_caller.request, 1, &of_caller.pending, 1);
            of_caller.page.enter(Wait { chain: 2, callee: 1 });
        });
        if caller.page.glimpse().is_some() {
            assert_eq!(caller.request.load(Ordering::Acquire), 1);
        }
        thread.join().unwrap();
    });
}

/// A request is withdrawn while its server stops waiting: either it is not carried out, or its client does not say so.
#[test]
fn what_is_withdrawn_from_who_waits_is_not_carried_out() {
    const WITHDRAWN: u64 = 2;
    model(|| {
        let server = Arc::new(Entrypoint::default());
        server.page.enter(Wait { chain: 1, callee: 1 });
        server.request.store(1, Ordering::Release);
        let of_server = server.clone();
        let thread = thread::spawn(move || {
            of_server.page.leave();
            of_server.request.load(Ordering::Acquire) & WITHDRAWN == 0
        });
        let seen = server.page.glimpse();
        server.request.fetch_or(WITHDRAWN, Ordering::Relaxed);
        let is_certain = seen.is_some_and(|seen| server.page.still_waits(seen));
        let is_carried_out = thread.join().unwrap();
        assert!(!(is_certain && is_carried_out));
    });
}
