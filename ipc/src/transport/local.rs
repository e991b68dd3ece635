//! The transport within one process: a queue in private memory, and the entrypoint's own bell.

use super::{Carried, Drained, Refused, Transport};
use crate::capability::Capability;
use crate::client::channel::Channel;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::server::home::Bell;
use crate::wire::control::Tag;
use crate::wire::head::RowName;
use crate::wire::layout::LaneId;
use crate::wire::slot::Slot;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Capabilities on their way in one direction.
#[derive(Debug, Default)]
struct Basket(Mutex<Vec<(Tag, Carried)>>);

impl Basket {
    fn put(&self, tag: Tag, capabilities: &[Capability]) {
        let carried = capabilities.iter().cloned().collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((tag, carried));
    }

    /// What nobody will take any more goes: it may hold the very server whose end this is.
    fn empty(&self) {
        let left = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(left);
    }

    fn take(&self, tag: Tag) -> Carried {
        let mut basket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match basket.iter().position(|(of, _)| *of == tag) {
            Some(place) => basket.swap_remove(place).1,
            None => Carried::new(),
        }
    }
}

/// One end of a channel within one process.
#[derive(Debug)]
pub(crate) struct LocalTransport {
    bell: Arc<Bell>,
    /// Of the server's end: whose tasks it wakes.
    client: Weak<Channel>,
    outgoing: Arc<Basket>,
    incoming: Arc<Basket>,
}

impl LocalTransport {
    /// Both ends of a channel to the entrypoint with that bell: the client's and the server's.
    pub(crate) fn pair(bell: &Arc<Bell>) -> (LocalTransport, LocalTransport) {
        let (there, back) = (Arc::<Basket>::default(), Arc::<Basket>::default());
        let end = |outgoing: &Arc<Basket>, incoming: &Arc<Basket>| LocalTransport {
            bell: bell.clone(),
            client: Weak::new(),
            outgoing: outgoing.clone(),
            incoming: incoming.clone(),
        };
        (end(&there, &back), end(&back, &there))
    }

    /// The server's end, once there is the client.
    pub(crate) fn to(mut self, client: &Arc<Channel>) -> LocalTransport {
        self.client = Arc::downgrade(client);
        self
    }
}

impl Transport for LocalTransport {
    fn ring(&self) {
        self.bell.ring();
    }

    fn send(&self, tag: Tag, capabilities: &[Capability]) -> Result<(), Refused> {
        self.outgoing.put(tag, capabilities);
        Ok(())
    }

    fn receive(&self, tag: Tag, slots: &[Slot]) -> Result<Carried, Error> {
        let carried = self.incoming.take(tag);
        if carried.len() == slots.len() {
            Ok(carried)
        } else {
            Err(Error::Violation("capabilities are missing"))
        }
    }

    fn has_received(&self, _: LaneId) -> bool {
        true
    }

    fn open(&self, _: RowName, _: OwnedFd, _: bool) -> Result<(), Error> {
        // Within a process a capability names its object itself, not a row: nobody has a row to open.
        Err(Error::InvalidCapability)
    }

    fn sent(&self) -> u16 {
        0
    }

    fn greeting(&self) -> Result<Option<(EntrypointId, PeerDescriptor)>, Error> {
        // Within a process everybody is known from the start.
        Ok(None)
    }

    fn listen(&self) -> Result<Drained, Error> {
        Ok(Drained::Empty)
    }

    fn wake_task(&self, lane: LaneId) {
        if let Some(client) = self.client.upgrade() {
            client.answered(lane);
        }
    }

    fn hang_up(&self) {
        self.outgoing.empty();
        self.incoming.empty();
    }
}

impl Drop for LocalTransport {
    fn drop(&mut self) {
        self.hang_up();
    }
}
