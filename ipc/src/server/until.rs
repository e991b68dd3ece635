//! Until when a server waits, and how often it looks at the clock meanwhile.

use crate::deadline::Deadline;
use crate::error::Error;
use std::time::{Duration, Instant};

/// Steps that brought nothing that is waited for, between two looks at the clock. Whoever keeps a server busy with such
/// (calls that are refused, events that are passed over) keeps it from idling, and so from the look before that.
const STEPS_BETWEEN_CLOCKS: u8 = 64;

/// A deadline whose clock is read when that first matters.
pub(super) struct Until {
    deadline: Deadline,
    end: Option<Option<Instant>>,
    steps: u8,
}

impl Until {
    pub(super) fn new(deadline: Deadline) -> Until {
        Until { deadline, end: None, steps: 0 }
    }

    /// The time that is left at a point in time.
    pub(super) fn left(&mut self, now: Instant) -> Result<Option<Duration>, Error> {
        match *self.end.get_or_insert_with(|| self.deadline.instant()) {
            None => Ok(None),
            Some(end) if end <= now => Err(Error::DeadlineExceeded),
            Some(end) => Ok(Some(end - now)),
        }
    }

    /// Counts a step that brought nothing that is waited for.
    #[inline]
    pub(super) fn pass_over(&mut self) -> Result<(), Error> {
        self.steps = (self.steps + 1) % STEPS_BETWEEN_CLOCKS;
        if self.steps == 0 { self.left(Instant::now()).map(drop) } else { Ok(()) }
    }
}
