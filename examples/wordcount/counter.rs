//! The counter component: makes counting objects, and counts.
//!
//! It makes no more than [`MOST_OBJECTS`] of them at a time. It does not know who calls; whoever holds an object may
//! count with it.

use super::count::{Counts, WordCounter, WordRule};
use super::interface::{Counter, Counting, Log};
use crate::Failure;
use crate::serve_parent;
use portcullis_entrypoint::{Entrypoint, Error, WeakEntrypoint};
use portcullis_ipc::Limits;
use portcullis_rpc::{self as rpc, Capability, Client, Deadline};
use std::rc::Rc;
use std::time::Duration;

/// Counting objects at one time. All of them are made for the one parent, who alone holds the counter.
pub const MOST_OBJECTS: u32 = 64;

/// Between two reports of an object, in bytes.
pub const REPORT_EVERY: u64 = 4 << 20;

/// What a report takes at most. All clients wait for so long: a log is whatever a client says it is.
const PATIENCE: Deadline = Deadline::After(Duration::from_secs(1));

/// The parent holds the counter and all objects; each of those whom it hands one to comes by a portal.
const LIMITS: Limits = Limits { rows: 1 + MOST_OBJECTS, contexts: 0, channels: 128, portals: MOST_OBJECTS };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    serve_parent(LIMITS, manage)
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
            reports: Reports::NotYet,
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
    reports: Reports,
    _place: Place,
}

/// Where an object reports to.
enum Reports {
    NotYet,
    /// The next time when so many bytes are counted.
    To(Client<dyn Log>, u64),
    /// The log failed once, and that was enough.
    NoMore,
}

impl Reports {
    /// Says how many bytes were counted, if that is due.
    #[inline]
    fn progress(&mut self, bytes: u64) {
        if let Reports::To(_, next) = self
            && bytes >= *next
        {
            *next = bytes + REPORT_EVERY;
            self.say(bytes);
        }
    }

    /// Says how many bytes were counted. A log that fails does not keep us from counting.
    #[cold]
    fn say(&mut self, bytes: u64) {
        if let Reports::To(log, _) = self
            && log.write(&format!("counted {} bytes", grouped(bytes))).is_err()
        {
            *self = Reports::NoMore;
        }
    }
}

/// A number for people: in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Counting for WordStream {
    fn add(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.counter.add(piece);
        self.reports.progress(self.counter.counts().bytes);
        Ok(())
    }

    fn counts(&mut self) -> Result<Counts, Failure> {
        Ok(self.counter.counts())
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.reports.say(self.counter.counts().bytes);
        self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?.dissolve_current();
        Ok(())
    }

    fn report_to(&mut self, log: Capability<dyn Log>) -> Result<(), Failure> {
        let Reports::NotYet = self.reports else { return Err(Failure::Begun) };
        self.reports = Reports::To(log.client().with_deadline(PATIENCE), REPORT_EVERY);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let told = [0, 999, 1_000, 12_345_678, u64::MAX].map(grouped);
        assert_eq!(told, ["0", "999", "1,000", "12,345,678", "18,446,744,073,709,551,615"]);
    }
}
