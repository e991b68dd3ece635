//! How a capability is named to somebody else: as a badge, as a row, or by a descriptor that travels beside the message.

use super::{Capability, Reference};
use crate::badge::Badge;
use crate::client::channel::Channel;
use crate::client::portal::{Portal, Settled};
use crate::client::reference::{HeldRow, RowReference};
use crate::dataspace::Outgoing;
use crate::error::Error;
use crate::server::home::Home;
use crate::sys::socket;
use crate::wire::head::RowName;
use crate::wire::slot::{Group, Slot};
use std::os::fd::OwnedFd;
use std::sync::Arc;

impl Capability {
    /// The row of that channel that it is, alone.
    pub(crate) fn into_row_of(self, channel: &Channel) -> Option<RowReference> {
        match self.0 {
            Reference::Row(reference) if std::ptr::eq(&raw const *reference.channel, channel) => {
                Some(reference)
            }
            _ => None,
        }
    }

    /// How it stands in a message whose channel has no row for it: its descriptor travels beside.
    pub(crate) fn carried_slot(&self) -> Slot {
        match &self.0 {
            Reference::Dataspace(dataspace) => Slot::Dataspace(dataspace.attributes),
            _ => Slot::Portal(self.group()),
        }
    }

    /// The group of the portals that are made of it.
    pub(crate) fn group(&self) -> Group {
        match &self.0 {
            Reference::Own { home, .. } | Reference::OwnContext { home, .. } => home.group(),
            Reference::Row(reference) => reference.channel.group(),
            Reference::Portal(portal) => portal.group(),
            Reference::Dataspace(_) => Group::next(),
        }
    }

    /// The portal that it is, if that may turn out to be a row of the channel.
    pub(crate) fn portal_home(&self, channel: &Channel) -> Option<&Portal> {
        self.unsettled().filter(|portal| portal.belongs_to(channel))
    }

    /// The badge, if the capability is to an object of the entrypoint with that home.
    pub(crate) fn badge_at(&self, server: &Arc<Home>) -> Option<Badge> {
        self.own_badge().filter(|(home, _)| Arc::ptr_eq(home, server)).map(|(_, badge)| badge)
    }

    /// The home and the badge, if the capability is known to be to something of this process.
    pub(super) fn own_badge(&self) -> Option<(&Arc<Home>, Badge)> {
        match self.reference() {
            Reference::Own { home, badge, .. } | Reference::OwnContext { home, badge, .. } => {
                Some((home, *badge))
            }
            Reference::Row(_) | Reference::Portal(_) | Reference::Dataspace(_) => None,
        }
    }

    /// The row, if the capability is one of that channel.
    pub(crate) fn row_on(&self, channel: &Channel) -> Option<RowName> {
        self.reference_on(channel).map(|reference| reference.row)
    }

    /// A share of the row's grant, if the capability is one of that channel.
    pub(crate) fn hold_row_on(&self, channel: &Channel) -> Option<HeldRow> {
        self.reference_on(channel).and_then(HeldRow::of)
    }

    fn reference_on(&self, channel: &Channel) -> Option<&RowReference> {
        let reference = match &self.0 {
            Reference::Own { .. } | Reference::OwnContext { .. } | Reference::Dataspace(_) => return None,
            Reference::Row(reference) => reference,
            Reference::Portal(portal) => match portal.settled()? {
                Settled::Row(reference) => reference,
                Settled::Own(_) => return None,
            },
        };
        std::ptr::eq(&raw const *reference.channel, channel).then_some(reference)
    }

    /// What travels beside a message to somebody who has no channel to its entrypoint: a new portal to the object, or the
    /// dataspace's descriptor. Never waits for the entrypoint.
    pub(crate) fn outgoing(&self) -> Result<Outgoing, Error> {
        match self.as_dataspace() {
            Some(dataspace) => Ok(Outgoing::Dataspace(dataspace.descriptor.clone())),
            None => self.portal().map(Outgoing::Portal),
        }
    }

    fn portal(&self) -> Result<OwnedFd, Error> {
        let (ours, theirs) = socket::pair()?;
        match self.open(ours) {
            // Its entrypoint is gone: whoever gets the portal finds a dead capability, as we would.
            Ok(()) | Err(Error::Disconnected) => Ok(theirs),
            Err(error) => Err(error),
        }
    }

    /// Opens a portal to it, whose other end is that socket's. Never waits.
    pub(crate) fn open(&self, socket: OwnedFd) -> Result<(), Error> {
        match &self.0 {
            // Here and now: our entrypoint may be busy with the very call that this portal travels in.
            Reference::Own { home, badge, .. } | Reference::OwnContext { home, badge, .. } => {
                home.take_up(socket, *badge, self)
            }
            Reference::Row(RowReference { channel, row, .. }) => channel.open(*row, socket),
            Reference::Portal(portal) => portal.open(socket),
            // It travels as what it is.
            Reference::Dataspace(_) => Err(Error::InvalidCapability),
        }
    }
}
