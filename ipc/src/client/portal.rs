//! A portal: a capability to an entrypoint that we have no channel to yet.

use super::channel::Channel;
use crate::capability::RowReference;
use crate::error::Error;
use crate::pd::Pd;
use crate::pd::peer_socket::PeerSocket;
use crate::wire::head::RowName;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The client's end of a portal. It costs a descriptor; the memory of a channel only once it is called.
pub(crate) struct Portal {
    pd: Pd,
    socket: Mutex<Option<PeerSocket>>,
    connected: OnceLock<Result<RowReference, Error>>,
}

impl Portal {
    pub(crate) fn new(pd: Pd, socket: PeerSocket) -> Portal {
        Portal { pd, socket: Mutex::new(Some(socket)), connected: OnceLock::new() }
    }

    /// Makes it a channel, if it is none yet, without waiting for the entrypoint. A failure is final.
    pub(crate) fn connect(&self) -> Result<&RowReference, Error> {
        let connected = self.connected.get_or_init(|| {
            let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
            let channel = Channel::connect(&self.pd, socket.ok_or(Error::Disconnected)?)?;
            Ok(RowReference::new(channel, RowName::FIRST))
        });
        connected.as_ref().map_err(Clone::clone)
    }

    /// The channel, if it was used before.
    pub(crate) fn connected(&self) -> Option<&RowReference> {
        self.connected.get()?.as_ref().ok()
    }
}
