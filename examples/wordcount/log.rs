//! The log component: takes lines from whoever holds a log, and keeps the last one for whoever holds the logbook.
//!
//! To write and to read are two rights: the parent has the logbook, and hands out logs.

use super::interface::{Log, Logbook};
use crate::Failure;
use crate::serve_parent;
use portcullis_entrypoint::{Entrypoint, Error, WeakEntrypoint};
use portcullis_ipc::Limits;
use portcullis_rpc::{self as rpc, Capability};
use std::cell::RefCell;
use std::rc::Rc;

/// What is kept of a line at most, in bytes.
pub const LINE: usize = 200;

/// The parent holds the logbook and a log; each of those whom it hands one to comes by a portal.
const LIMITS: Limits = Limits { rows: 16, contexts: 0, channels: 64, portals: 16 };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    serve_parent(LIMITS, manage)
}

/// Has an entrypoint manage a logbook.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Logbook> {
    entrypoint.manage(Book { entrypoint: entrypoint.downgrade(), last: LastLine::default() })
}

type LastLine = Rc<RefCell<Option<String>>>;

struct Book {
    entrypoint: WeakEntrypoint,
    last: LastLine,
}

impl Logbook for Book {
    fn open(&mut self) -> Result<Capability<dyn Log>, Failure> {
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        Ok(entrypoint.manage_counted(Writer(self.last.clone()), |_, entrypoint| {
            entrypoint.dissolve_current();
        }))
    }

    fn last(&mut self) -> Result<Option<String>, Failure> {
        Ok(self.last.borrow().clone())
    }
}

/// A log: the right to write.
struct Writer(LastLine);

impl Log for Writer {
    fn write(&mut self, line: &str) -> Result<(), Failure> {
        let kept = &line[..line.floor_char_boundary(LINE)];
        *self.0.borrow_mut() = Some(kept.into());
        Ok(())
    }
}
