//! Dataspaces as messages carry them: a descriptor that nobody here looks at, and a word.

use crate::capability::Capability;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// A descriptor that several hold. One that came from somebody else may be anything, and its close may take as long as its
/// sender likes: whoever drops the last share of it has that done by another thread.
pub type SharedDescriptor = Arc<dyn AsFd + Send + Sync>;

/// The right to attach a dataspace, as it travels: what it is, is the business of the layer above.
#[derive(Clone)]
pub(crate) struct Dataspace {
    pub(crate) descriptor: SharedDescriptor,
    pub(crate) attributes: u64,
}

/// A descriptor on its way out, beside a message.
pub(crate) enum Outgoing {
    Portal(OwnedFd),
    Dataspace(SharedDescriptor),
}

impl AsFd for Outgoing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Outgoing::Portal(socket) => socket.as_fd(),
            Outgoing::Dataspace(descriptor) => descriptor.as_fd(),
        }
    }
}

/// Dataspaces among capabilities.
impl Capability {
    /// A capability to attach a dataspace, to be sent: its descriptor, and one word that says what the receiver may expect of it.
    /// It is no object: a call of it is [`Error::InvalidCapability`](crate::Error::InvalidCapability).
    ///
    /// ```
    /// use portcullis_ipc::{Capability, MsgBuf};
    /// use std::sync::Arc;
    ///
    /// let file = std::fs::File::open("/dev/null").unwrap();
    /// let mut message = MsgBuf::new();
    /// message.push(Capability::from_dataspace(Arc::new(file), 4096))?;
    /// let (_descriptor, attributes) = message.take(0).and_then(|received| received.dataspace()).unwrap();
    /// assert_eq!(attributes, 4096);
    /// # Ok::<_, portcullis_ipc::Error>(())
    /// ```
    #[must_use]
    pub fn from_dataspace(descriptor: SharedDescriptor, attributes: u64) -> Capability {
        Capability::of_dataspace(Dataspace { descriptor, attributes })
    }

    /// The descriptor and the word, if it is a capability to attach a dataspace. Both are alleged: if it came in a message,
    /// nobody has looked at the descriptor, which may be of any kind, and reading or even asking it may block.
    #[must_use]
    pub fn dataspace(&self) -> Option<(SharedDescriptor, u64)> {
        self.as_dataspace().map(|dataspace| (dataspace.descriptor.clone(), dataspace.attributes))
    }
}
