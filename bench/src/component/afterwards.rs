//! What a method leaves to be done when it has answered.

use crate::error::Error;
use portcullis_entrypoint::{Entrypoint, WeakEntrypoint};
use std::cell::Cell;
use std::rc::Rc;

type Work = Box<dyn FnOnce() -> Result<(), Error>>;

/// Work that takes as long as a measurement, for the entrypoint's thread: its client is answered first, and its next
/// call is served when the work is done. Clones share one piece of work.
#[derive(Clone)]
pub(crate) struct Afterwards {
    work: Rc<Cell<Option<Work>>>,
    entrypoint: WeakEntrypoint,
}

impl Afterwards {
    pub(crate) fn new(entrypoint: &Entrypoint) -> Afterwards {
        Afterwards { work: Rc::default(), entrypoint: entrypoint.downgrade() }
    }

    /// From within a method: has the entrypoint stop after it, with this to be done.
    pub(crate) fn put(&self, work: impl FnOnce() -> Result<(), Error> + 'static) {
        self.work.set(Some(Box::new(work)));
        if let Some(entrypoint) = self.entrypoint.upgrade() {
            entrypoint.stop();
        }
    }

    /// The entrypoint has stopped: does what is to be done.
    pub(crate) fn carry_out(&self) -> Result<(), Error> {
        self.work.take().map_or(Ok(()), |work| work())
    }
}
