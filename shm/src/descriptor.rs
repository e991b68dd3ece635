//! Descriptors that several hold, of whatever kind their holder is.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

/// A descriptor that several hold. One that came in a message is closed as whoever received it sees fit.
#[derive(Clone)]
pub(crate) struct Descriptor(Arc<dyn AsFd + Send + Sync>);

impl Descriptor {
    pub(crate) fn new(shared: Arc<dyn AsFd + Send + Sync>) -> Descriptor {
        Descriptor(shared)
    }

    pub(crate) fn shared(&self) -> Arc<dyn AsFd + Send + Sync> {
        self.0.clone()
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Descriptor").field(&self.as_fd().as_raw_fd()).finish()
    }
}
