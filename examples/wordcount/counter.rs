//! The counter component: makes counting objects, and counts.
//!
//! It makes no more than [`MOST_OBJECTS`] of them at a time. It does not know who calls; whoever holds an object may
//! count with it.

use super::count::{Counts, WordCounter, WordRule};
use super::interface::{Counter, Counting, Failure};
use crate::until_parent_ends;
use portcullis_entrypoint::{Entrypoint, Error, WeakEntrypoint};
use portcullis_ipc::{Limits, Pd};
use portcullis_rpc::{self as rpc, Capability};
use std::rc::Rc;

/// Counting objects at one time. All of them are made for the one parent, who alone holds the counter.
pub const MOST_OBJECTS: u32 = 64;

/// The parent holds the counter and all objects; each of those whom it hands one to comes by a portal.
const LIMITS: Limits = Limits { rows: 1 + MOST_OBJECTS, channels: 128, portals: MOST_OBJECTS };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    let entrypoint = Entrypoint::with(&Pd::new()?, LIMITS)?;
    entrypoint.serve_parent(&manage(&entrypoint))?;
    until_parent_ends(entrypoint.run())
}

/// Has an entrypoint manage a counter.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Counter> {
    entrypoint.manage(Maker { entrypoint: entrypoint.downgrade(), place: Place::default() })
}

/// What every object holds a share of: so they are counted.
type Place = Rc<()>;

struct Maker {
    entrypoint: WeakEntrypoint,
    place: Place,
}

impl Counter for Maker {
    fn open(&mut self, rule: WordRule) -> Result<Capability<dyn Counting>, Failure> {
        // One share is the maker's own.
        if Rc::strong_count(&self.place) > MOST_OBJECTS as usize {
            return Err(Failure::Exhausted);
        }
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        let object = WordStream {
            counter: WordCounter::new(rule),
            entrypoint: self.entrypoint.clone(),
            _place: self.place.clone(),
        };
        // An object that nobody can call any more is of no use, be it that its answer did not arrive.
        Ok(entrypoint.manage_counted(object, |_, entrypoint| {
            entrypoint.dissolve_current();
        }))
    }
}

/// A counting object.
struct WordStream {
    counter: WordCounter,
    entrypoint: WeakEntrypoint,
    _place: Place,
}

impl Counting for WordStream {
    fn add(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.counter.add(piece);
        Ok(())
    }

    fn counts(&mut self) -> Result<Counts, Failure> {
        Ok(self.counter.counts())
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?.dissolve_current();
        Ok(())
    }
}
