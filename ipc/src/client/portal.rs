//! A portal: a capability to an entrypoint that we have no channel to yet.

use super::channel::Channel;
use crate::capability::RowReference;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::Pd;
use crate::pd::peer_socket::PeerSocket;
use crate::wire::head::RowName;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The client's end of a portal. It costs a descriptor; the memory of a channel only once it is called.
pub(crate) struct Portal {
    pd: Pd,
    /// Until it is connected.
    socket: Mutex<Option<Arc<PeerSocket>>>,
    connected: OnceLock<RowReference>,
    /// Where it is said to lead to.
    entrypoint: Option<EntrypointId>,
}

impl Portal {
    pub(crate) fn new(pd: Pd, socket: PeerSocket, entrypoint: Option<EntrypointId>) -> Portal {
        Portal { pd, socket: Mutex::new(Some(Arc::new(socket))), connected: OnceLock::new(), entrypoint }
    }

    /// Makes it a channel, if it is none yet, without waiting for the entrypoint. If that fails for want of something,
    /// it can be tried again.
    pub(crate) fn connect(&self) -> Result<&RowReference, Error> {
        if let Some(reference) = self.connected.get() {
            return Ok(reference);
        }
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been first, while we waited for the lock.
        if let Some(socket) = &*socket {
            let channel = Channel::connect(&self.pd, socket.clone(), self.entrypoint)?;
            let _ = self.connected.set(RowReference::new(channel, RowName::FIRST));
        }
        *socket = None;
        self.connected.get().ok_or(Error::Disconnected)
    }

    /// The entrypoint that it leads to, as far as that is known.
    pub(crate) fn entrypoint(&self) -> Option<EntrypointId> {
        self.connected().map_or(self.entrypoint, |reference| reference.channel.callee_id())
    }

    /// The domain that it came to.
    pub(crate) fn pd(&self) -> &Pd {
        &self.pd
    }

    /// The channel, if it was used before.
    pub(crate) fn connected(&self) -> Option<&RowReference> {
        self.connected.get()
    }
}
