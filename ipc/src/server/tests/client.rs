//! The client's side of a channel, by hand.

use crate::badge::Badge;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::protocol::release_ring::{Release, Ring};
use crate::server::Server;
use crate::sys::core::UNKNOWN_CORE;
use crate::sys::memory::Words;
use crate::sys::socket;
use crate::wire::control::{Control, DOORBELL};
use crate::wire::head::{RowName, State};
use crate::wire::layout::{self, LaneId};
use crate::wire::slot::Kinds;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;

/// A client that does nothing by itself.
pub(super) struct Client {
    pub(super) socket: OwnedFd,
    words: Words,
    memory: OwnedFd,
    calls: u32,
}

impl Client {
    /// A client that has sent its introduction and does not know whether it was read; and the server's name for it.
    pub(super) fn introduced(server: &mut Server, badge: Badge) -> (Client, RowName) {
        let (client, name) = Client::unknown(server, badge);
        client.introduce();
        (client, name)
    }

    /// A client that has said nothing yet.
    pub(super) fn unknown(server: &mut Server, badge: Badge) -> (Client, RowName) {
        let (socket, theirs) = socket::pair().unwrap();
        let name = server.adopt(PeerDescriptor::new(&server.pd, theirs), badge, None).unwrap();
        let (words, memory) = Words::shared().unwrap();
        (Client { socket, words, memory, calls: 0 }, name)
    }

    pub(super) fn introduce(&self) {
        socket::send(self.socket.as_fd(), &Control::Hello.encode(), &[self.memory.as_fd()]).unwrap();
    }

    pub(super) fn ring(&self) {
        socket::send(self.socket.as_fd(), &DOORBELL, &[]).unwrap();
    }

    /// Calls the first row, in the first lane.
    pub(super) fn call(&mut self) {
        self.calls += 1;
        let lane = LaneId::lowest(1).unwrap();
        let kinds = Kinds::default();
        let state = State { sequence: self.calls, length: 0, kinds, status: 0, core: UNKNOWN_CORE };
        self.words[lane.request() + 1].store(RowName::FIRST.encode(), Ordering::Relaxed);
        self.words[lane.request()].store(state.encode(), Ordering::Release);
        self.announce(lane.bit());
    }

    /// Adds to the state of its call.
    pub(super) fn mark(&self, bits: u64) {
        let lane = LaneId::lowest(1).unwrap();
        self.words[lane.request()].fetch_or(bits, Ordering::Relaxed);
    }

    /// Gives back a row, the first that it ever does, after so many messages; and says nothing of it.
    pub(super) fn release(&self, row: u32, sent: u16) {
        let ring = Ring {
            head: &self.words[layout::RELEASE_HEAD],
            tail: &self.words[layout::RELEASE_TAIL],
            entries: &self.words[layout::RELEASE_ENTRIES..][..layout::RELEASE_CAPACITY],
        };
        assert!(ring.push(&mut 0, Release { row, grants: 1, sent }));
    }

    /// Sends what no client sends, and tells the server to look.
    pub(super) fn send_garbage(&self) {
        socket::send(self.socket.as_fd(), b"garbage", &[]).unwrap();
        self.announce(layout::PENDING_SOCKET);
    }

    fn announce(&self, bit: u64) {
        self.words[layout::PENDING].fetch_or(bit, Ordering::SeqCst);
        self.ring();
    }
}
