//! A request is served, whatever the server does at that moment: it never sleeps on a request for which nobody rang.
//!
//! Depends on: the fences in `announce`, `announce_unwatched` and `unwatch`, and the release of the pending bit with
//! the acquire in `take_pending`.

use super::kernel::Bell;
use super::{bounded_model, model};
use crate::protocol::doorbell::{
    announce, announce_unwatched, demand, has_pending, take_pending, unwatch, wants_releases, watch,
};
use crate::sync::{AtomicU64, Ordering};
use crate::wire::layout::{LANE_BITS, PENDING_RELEASES, PENDING_SOCKET, RELEASES_AT_ONCE};
use loom::sync::Arc;
use loom::thread;

/// The words of a channel with two lanes, and what two of its client's threads put into the ring or the socket.
#[derive(Default)]
struct Channel {
    watched: AtomicU64,
    pending: AtomicU64,
    requests: [AtomicU64; 2],
    arguments: [AtomicU64; 2],
    notices: [AtomicU64; 2],
    /// A reply that grants a counted object.
    granted: AtomicU64,
    /// What the server demands while it serves.
    demands: u64,
    bell: Bell,
}

const SEQUENCE: u64 = 1;
const ARGUMENT: u64 = 7;

impl Channel {
    /// A channel whose server polls these lanes.
    fn watching(lanes: u64) -> Channel {
        let channel = Channel::default();
        watch(&channel.watched, lanes);
        channel
    }

    /// Client: one request, as `Channel::publish` makes it.
    fn request(&self, lane: usize) {
        self.arguments[lane].store(ARGUMENT, Ordering::Relaxed);
        self.requests[lane].store(SEQUENCE, Ordering::Release);
        if announce(&self.watched, &self.pending, 1 << lane) {
            self.bell.ring();
        }
    }

    /// Client: something that is no request, as `Channel::notify` makes it.
    fn notify(&self, bit: u64, thread: usize) {
        self.notices[thread].store(ARGUMENT, Ordering::Relaxed);
        if announce_unwatched(&self.watched, &self.pending, bit) {
            self.bell.ring();
        }
    }

    /// Client: gives back what was granted, as `Channel::release` does it.
    fn release_granted(&self) {
        while self.granted.load(Ordering::Acquire) == 0 {
            thread::yield_now();
        }
        if wants_releases(&self.watched) {
            self.notify(PENDING_RELEASES, 0);
        }
    }

    /// Server: grants a counted object, as `Port::gather` and a reply do it.
    fn grant(&self) {
        demand(&self.watched, self.demands);
        self.granted.store(1, Ordering::Release);
    }

    /// The server's loop, which polls `polled` at first and ends when it has seen so many requests and notices. Its
    /// patience is nil: it goes to sleep whenever it sees nothing to do.
    fn serve(&self, mut polled: u64, mut requests: usize, notices: usize) {
        let mut taken = [0; 2];
        let mut noticed = 0;
        while requests != 0 || noticed < notices {
            if has_pending(&self.pending) {
                let pending = take_pending(&self.pending);
                polled |= pending & LANE_BITS;
                watch(&self.watched, polled | self.demands);
                if pending & !LANE_BITS != 0 {
                    let seen = |notice: &&AtomicU64| notice.load(Ordering::Relaxed) == ARGUMENT;
                    noticed = self.notices.iter().filter(seen).count();
                    assert_ne!(noticed, 0, "the bit came before what it says");
                }
            }
            let mut served = false;
            for lane in (0..2).filter(|lane| polled >> lane & 1 != 0) {
                let word = self.requests[lane].load(Ordering::Acquire);
                if word != taken[lane] {
                    assert_eq!(self.arguments[lane].load(Ordering::Relaxed), ARGUMENT);
                    taken[lane] = word;
                    requests -= 1;
                    served = true;
                }
            }
            if served {
                continue;
            }
            unwatch(&self.watched, self.demands);
            let unserved = |lane: usize| {
                polled >> lane & 1 != 0 && self.requests[lane].load(Ordering::Relaxed) != taken[lane]
            };
            if has_pending(&self.pending) || (0..2).any(unserved) {
                watch(&self.watched, polled | self.demands);
                continue;
            }
            polled = 0;
            if requests == 0 && noticed >= notices {
                return;
            }
            self.bell.sleep();
            watch(&self.watched, polled | self.demands);
        }
    }
}

/// Clients on threads of their own, the server on this one.
fn explore(polled: u64, notices: usize, clients: &'static [fn(&Channel)]) {
    let run = move || {
        let channel = Arc::new(Channel::watching(polled));
        let requests = clients.len() - notices;
        let clients: Vec<_> = clients
            .iter()
            .map(|client| {
                let channel = channel.clone();
                thread::spawn(move || client(&channel))
            })
            .collect();
        channel.serve(polled, requests, notices);
        for client in clients {
            client.join().unwrap();
        }
    };
    match clients.len() {
        1 => model(run),
        _ => bounded_model(3, run),
    }
}

#[test]
fn request_in_a_lane_that_is_polled() {
    explore(0b01, 0, &[|channel| channel.request(0)]);
}

#[test]
fn request_in_a_lane_that_is_not_polled() {
    explore(0, 0, &[|channel| channel.request(0)]);
}

#[test]
fn requests_in_two_lanes_one_of_them_polled() {
    explore(0b10, 0, &[|channel| channel.request(0), |channel| channel.request(1)]);
}

#[test]
fn requests_in_two_lanes_none_of_them_polled() {
    explore(0, 0, &[|channel| channel.request(0), |channel| channel.request(1)]);
}

#[test]
fn notice_beside_requests() {
    explore(0, 1, &[|channel| channel.notify(PENDING_SOCKET, 0)]);
}

#[test]
fn notice_while_a_request_comes() {
    let clients: &[fn(&Channel)] =
        &[|channel| channel.notify(PENDING_RELEASES, 0), |channel| channel.request(0)];
    explore(0b01, 1, clients);
}

/// The second finds the bit set and leaves it to the first to ring.
#[test]
fn notices_of_one_kind_by_two_threads() {
    let clients: &[fn(&Channel)] =
        &[|channel| channel.notify(PENDING_RELEASES, 0), |channel| channel.notify(PENDING_RELEASES, 1)];
    explore(0, 2, clients);
}

/// The server goes to sleep and wakes in between, so that the client may see any of several announcements.
#[test]
fn requests_one_after_the_other_while_the_server_naps() {
    bounded_model(3, || {
        let channel = Arc::new(Channel::watching(0b01));
        let client = {
            let channel = channel.clone();
            thread::spawn(move || {
                channel.request(0);
                channel.request(1);
            })
        };
        channel.serve(0b01, 2, 0);
        client.join().unwrap();
    });
}

/// The server demands releases with what it grants, and goes to sleep: the release wakes it.
#[test]
fn release_of_a_counted_object() {
    for polled in [0, 0b01] {
        model(move || {
            let channel = Channel { demands: RELEASES_AT_ONCE, ..Channel::watching(polled) };
            let channel = Arc::new(channel);
            let client = {
                let channel = channel.clone();
                thread::spawn(move || channel.release_granted())
            };
            channel.grant();
            channel.serve(polled, 0, 1);
            client.join().unwrap();
        });
    }
}
