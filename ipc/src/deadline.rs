//! How long a call may take.

use std::time::{Duration, Instant};

/// The time that a call or a wait may take.
///
/// ```
/// use portcullis_ipc::Deadline;
/// use std::time::Duration;
///
/// assert!(Deadline::After(Duration::ZERO).instant().is_some());
/// assert!(Deadline::Never.instant().is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// So long from now.
    After(Duration),
    /// No limit. The death of the other side still ends the wait.
    Never,
}

impl Deadline {
    /// The point in time at which it expires, counted from now; `None` for never.
    #[must_use]
    pub fn instant(self) -> Option<Instant> {
        match self {
            // What overflows the clock is further away than anybody lives.
            Deadline::After(time) => Instant::now().checked_add(time),
            Deadline::Never => None,
        }
    }

    /// What is left until then.
    pub(crate) fn until(end: Instant) -> Deadline {
        Deadline::After(end.saturating_duration_since(Instant::now()))
    }

    /// The earlier of two deadlines.
    #[must_use]
    pub fn min(self, other: Deadline) -> Deadline {
        match (self, other) {
            (Deadline::After(a), Deadline::After(b)) => Deadline::After(a.min(b)),
            (Deadline::Never, limited) | (limited, Deadline::Never) => limited,
        }
    }
}
