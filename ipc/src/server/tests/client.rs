//! The client's side of a channel, by hand.

use crate::badge::Badge;
use crate::server::Server;
use crate::sys::memory::Words;
use crate::sys::socket;
use crate::wire::control::{Control, DOORBELL};
use crate::wire::head::RowName;
use crate::wire::layout;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;

/// A client that does nothing by itself.
pub(super) struct Client {
    pub(super) socket: OwnedFd,
    words: Words,
}

impl Client {
    /// A client that has sent its introduction and does not know whether it was read; and the server's name for it.
    pub(super) fn introduce(server: &mut Server, badge: Badge) -> (Client, RowName) {
        let (socket, theirs) = socket::pair().unwrap();
        let name = server.adopt(theirs, badge, None).unwrap();
        let (words, memory) = Words::shared().unwrap();
        socket::send(socket.as_fd(), &Control::Hello.encode(), &[memory.as_fd()]).unwrap();
        (Client { socket, words }, name)
    }

    /// Sends what no client sends, and tells the server to look.
    pub(super) fn send_garbage(&self) {
        socket::send(self.socket.as_fd(), b"garbage", &[]).unwrap();
        self.words[layout::PENDING].fetch_or(layout::PENDING_SOCKET, Ordering::SeqCst);
        socket::send(self.socket.as_fd(), &DOORBELL, &[]).unwrap();
    }
}
