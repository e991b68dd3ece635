//! Signals that are pending: a bit for each, in words of their own, and a bit of `pending` for each group of words.
//!
//! ```text
//!             client                                 server
//!   word |= signal; had it? done          take all that is pending (`doorbell`)
//!   pending |= group; had it? done        take the words of the groups that were
//!   fence                                 run a handler for each signal
//!   watched has AWAKE? done
//!   ring
//! ```
//! Who finds the signal set leaves it to whoever set it. Who sets it after the server took its word sees that the
//! server took the group's bit before, and sets that anew; who sets it before has it taken with the word. So after the
//! last of any number of submits the handler runs once more. No count is kept.

use crate::sync::{AtomicU64, Ordering};

/// Client: the signal is pending. Answers whether it was not before, so that its group must be announced
/// ([`doorbell::announce_unwatched`](super::doorbell::announce_unwatched)).
#[inline]
pub(crate) fn submit(word: &AtomicU64, signal: u64) -> bool {
    // Release: what the handler should find before the signal; pairs with the acquire in `take`. Acquire: that the
    // group's bit was taken before the word was; pairs with the release there.
    word.fetch_or(signal, Ordering::AcqRel) & signal == 0
}

/// Server: takes these signals out of a word, after it took their group's bit.
#[inline]
pub(crate) fn take(word: &AtomicU64, signals: u64) -> u64 {
    // Relaxed: a hint, so that a line without signals stays where it is. What was announced is seen, by the acquire in
    // `take_pending`.
    if word.load(Ordering::Relaxed) & signals == 0 {
        return 0;
    }
    word.fetch_and(!signals, Ordering::AcqRel) & signals
}
