//! How a party learns that the other is gone, from a thread that watches it.
//!
//! ```text
//!           the watching thread             the party
//!   gone := 1                               seen := bell
//!   bell := bell + 1 (release)              attention := sleeps, fence
//!   wake who sleeps on the bell             gone? do not sleep
//!                                           sleep while the bell is what was seen
//! ```

use crate::protocol::attention::ring;
use crate::sync::{AtomicU32, Ordering};

/// Says that the other is gone; its party must be woken after this.
pub(crate) fn say(gone: &AtomicU32, bell: &AtomicU32) {
    // Relaxed: the release of the bell orders it, for whoever has seen that one.
    gone.store(1, Ordering::Relaxed);
    ring(bell);
}

/// The party: whether the other is said to be gone. To be asked after the bell was looked at.
pub(crate) fn is_said(gone: &AtomicU32) -> bool {
    gone.load(Ordering::Relaxed) != 0
}
