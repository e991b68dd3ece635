//! How capabilities leave in a request: as rows of the channel, as portals, or as dataspaces.

use super::channel::Channel;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::transport::Carried;
use crate::wire::control::Tag;
use crate::wire::head::RowName;
use crate::wire::layout::{self, LaneId};
use crate::wire::slot::{Kinds, Slot};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

impl Channel {
    /// Lets the arguments find out that they are rows of this channel, if they may be: the entrypoint must be awake for the
    /// call anyhow, and recognises its own then. Answers what time is left for the call. Whoever waits here has no lane
    /// yet, since others may need all of them for what this waits for.
    #[cold]
    pub(super) fn bring_home(&self, send: &MsgBuf, deadline: Deadline) -> Result<Deadline, Error> {
        let end = deadline.instant();
        let left = || end.map_or(Deadline::Never, Deadline::until);
        for portal in send.held().filter_map(|capability| capability.portal_home(self)) {
            portal.settle(left())?;
        }
        Ok(left())
    }

    /// Writes the capability slots; what no row of this channel expresses goes ahead over the transport.
    #[cold]
    pub(super) fn send_slots(
        &self,
        lane: LaneId,
        sequence: u32,
        send: &MsgBuf,
        words: &[AtomicU64],
    ) -> Result<Kinds, Error> {
        let mut carried = Carried::new();
        let mut slots = heapless::Vec::<Slot, { layout::SLOTS }>::new();
        for capability in send.held() {
            let row = capability.row_on(self);
            let slot = row.map_or_else(|| capability.carried_slot(), Slot::Row);
            if row.is_none() {
                carried.push(capability.clone()).map_err(|_| Error::TooManyCapabilities)?;
            }
            slots.push(slot).map_err(|_| Error::TooManyCapabilities)?;
        }
        for (word, slot) in words.iter().zip(&slots) {
            word.store(slot.encode(), Ordering::Relaxed);
        }
        if !carried.is_empty() {
            self.transport.send(Tag { lane, sequence }, &carried)?;
        }
        Ok(Kinds::of(&slots))
    }

    /// Asks the entrypoint to take `socket` as a portal to what the row names. Never waits. If we know the entrypoint, we
    /// greet in its stead: it may not come to it before the portal is used.
    pub(crate) fn open(&self, row: RowName, socket: OwnedFd) -> Result<(), Error> {
        let known = self.judge(self.callee())?;
        let greeted = known.is_some_and(|callee| callee.greet(socket.as_fd()));
        self.transport.open(row, socket, greeted)?;
        self.notify(layout::PENDING_SOCKET);
        Ok(())
    }
}
