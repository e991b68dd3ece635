//! A socket whose other end is somebody else's, or what may be one.

use crate::pd::Pd;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A socket whose other end is somebody else's: there may be anything in its queue, such as a descriptor whose close
/// takes as long as its sender likes. So whoever drops it has it closed by another thread. The same goes for a descriptor
/// that came beside a message, as long as nobody has looked at it, and for a dataspace.
#[derive(Debug)]
pub(crate) struct PeerSocket {
    /// There until it is dropped.
    socket: Option<OwnedFd>,
    pd: Pd,
}

impl PeerSocket {
    pub(crate) fn new(pd: &Pd, socket: OwnedFd) -> PeerSocket {
        PeerSocket { socket: Some(socket), pd: pd.clone() }
    }

    /// Closes it here and now: somebody has looked, and it is nothing whose close waits for anybody.
    pub(crate) fn close(mut self) {
        drop(self.socket.take());
    }
}

impl AsFd for PeerSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_ref().expect("it is there until it is dropped").as_fd()
    }
}

impl Drop for PeerSocket {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            self.pd.close_later([socket]);
        }
    }
}
