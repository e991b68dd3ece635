//! A descriptor that came from somebody else, or has been within his reach.

use crate::pd::Pd;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A descriptor whose close may take as long as somebody else likes, so that whoever drops it has it closed by another thread: what came
/// beside a message, until somebody has looked at it, and a dataspace; and a socket whose other end is somebody else's, in whose queue
/// there may be anything.
#[derive(Debug)]
pub(crate) struct PeerDescriptor {
    /// There until it is dropped.
    descriptor: Option<OwnedFd>,
    pd: Pd,
}

impl PeerDescriptor {
    pub(crate) fn new(pd: &Pd, descriptor: OwnedFd) -> PeerDescriptor {
        PeerDescriptor { descriptor: Some(descriptor), pd: pd.clone() }
    }

    /// Closes it here and now: somebody has looked, and it is nothing whose close waits for anybody.
    pub(crate) fn close(mut self) {
        drop(self.descriptor.take());
    }
}

impl AsFd for PeerDescriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_ref().expect("it is there until it is dropped").as_fd()
    }
}

impl Drop for PeerDescriptor {
    fn drop(&mut self) {
        if let Some(descriptor) = self.descriptor.take() {
            self.pd.close_later([descriptor]);
        }
    }
}
