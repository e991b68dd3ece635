//! Who waits for an answer.

use crate::wire::head::RowName;
use crate::wire::layout::LaneId;
use std::cell::RefCell;
use std::rc::Rc;

/// The right to answer one call, once: the lane of the call stays open until then.
///
/// Keep it to answer later. If it is dropped without an answer, the client gets
/// [`Error::Abandoned`](crate::Error::Abandoned).
///
/// ```no_run
/// # fn main() -> Result<(), portcullis_ipc::Error> {
/// use portcullis_ipc::{Deadline, MsgBuf, Pd, Server};
///
/// let mut server = Server::new(&Pd::new()?)?;
/// let mut message = MsgBuf::new();
/// let first = server.wait(&mut message, Deadline::Never)?.caller;
/// let second = server.wait(&mut message, Deadline::Never)?.caller;
/// server.reply(second, &MsgBuf::new())?;
/// drop(first); // its client is told that the call was abandoned
/// # Ok(()) }
/// ```
#[must_use = "a dropped caller is told that its call was abandoned"]
pub struct Caller {
    pub(crate) ticket: Ticket,
    dropped: Option<Dropped>,
}

/// The lane of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) port: RowName,
    pub(crate) lane: LaneId,
    pub(crate) sequence: u32,
}

/// Calls whose caller was dropped without an answer.
pub(crate) type Dropped = Rc<RefCell<Vec<Ticket>>>;

impl Caller {
    #[inline]
    pub(crate) fn new(ticket: Ticket, dropped: &Dropped) -> Caller {
        Caller { ticket, dropped: Some(dropped.clone()) }
    }

    /// Whether it is that server's.
    pub(crate) fn is_of(&self, here: &Dropped) -> bool {
        self.dropped.as_ref().is_some_and(|dropped| Rc::ptr_eq(dropped, here))
    }

    /// The lane, to be answered now; `None` if it is the caller of another server.
    #[inline]
    pub(crate) fn redeem(mut self, here: &Dropped) -> Option<Ticket> {
        if !self.is_of(here) {
            return None;
        }
        let ticket = self.ticket;
        drop(self.dropped.take());
        // What is left needs no drop, which the compiler does not see.
        std::mem::forget(self);
        Some(ticket)
    }
}

impl Drop for Caller {
    #[inline]
    fn drop(&mut self) {
        if let Some(dropped) = self.dropped.take() {
            abandon(self.ticket, &dropped);
        }
    }
}

/// Not a part of the drop, so that a caller who is answered need not lie in memory for its sake.
#[cold]
fn abandon(ticket: Ticket, dropped: &Dropped) {
    dropped.borrow_mut().push(ticket);
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Who calls is nobody's business: only that somebody does.
        f.write_str("Caller")
    }
}
