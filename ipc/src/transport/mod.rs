//! What carries a channel: a way to wake the entrypoint, and a way for capabilities that no row can express.
//!
//! The words of the channel are the same for both transports and so is all that is done with them; a transport adds
//! what depends on where the other side lives.

pub(crate) mod local;
pub(crate) mod socket;

pub(crate) use socket::Drained;

use crate::capability::Capability;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::wire::control::Tag;
use crate::wire::head::RowName;
use crate::wire::layout::{LaneId, SLOTS};
use crate::wire::slot::Slot;
use std::os::fd::OwnedFd;

/// Capabilities on their way.
pub(crate) type Carried = heapless::Vec<Capability, SLOTS>;

/// Who did not take capabilities.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The entrypoint that one of them leads to, or our own system.
    There(Error),
    /// The other side of this channel.
    Here(Error),
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        match refused {
            Refused::There(error) | Refused::Here(error) => error,
        }
    }
}

/// One end of a channel's out-of-band path. Nothing here ever waits for the other side.
pub(crate) trait Transport: Send + Sync + std::fmt::Debug {
    /// Client: wakes the entrypoint, which sleeps.
    fn ring(&self);

    /// Sends the capabilities of a message that no row can express, before the message itself is published.
    fn send(&self, tag: Tag, capabilities: &[Capability]) -> Result<(), Refused>;

    /// Takes the capabilities that came with a message for these slots. Fewer or more is a violation. If there are no
    /// descriptors to spare ([`NO_ROOM`](crate::sys::socket::NO_ROOM)), they can be taken later.
    fn receive(&self, tag: Tag, slots: &[Slot]) -> Result<Carried, Error>;

    /// Client: whether what belongs to the message of that lane was read already, so that [`receive`](Self::receive) needs no room.
    fn has_received(&self, lane: LaneId) -> bool;

    /// Client: asks the entrypoint to take `socket` as a portal to what the row names, and says whether its greeting is in
    /// there already.
    fn open(&self, row: RowName, socket: OwnedFd, greeted: bool) -> Result<(), Error>;

    /// Client: how many messages that the server must read before anything later were sent so far, modulo 2¹⁶.
    fn sent(&self) -> u16;

    /// Client: the greeting of the entrypoint, if it has come since this was last asked: its name and its page.
    fn greeting(&self) -> Result<Option<(EntrypointId, PeerDescriptor)>, Error>;

    /// Client: reads what the server sent, for a moment: descriptors are kept until their message asks for them.
    fn listen(&self) -> Result<Drained, Error>;

    /// Server: wakes the task that waits for the reply in the lane.
    fn wake_task(&self, lane: LaneId);

    /// Ends it for both sides.
    fn hang_up(&self);
}
