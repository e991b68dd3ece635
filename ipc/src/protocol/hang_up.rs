//! How callers learn that the server is gone: the flag `dead` of a channel and the state words of its replies.
//!
//! ```text
//!             caller                                 watcher
//!   the lane's sequence := n              dead := true
//!   fence (it announces its request)      fence
//!   ... it wants to sleep ...             the lane's sequence is not answered? change the state word
//!   dead? look again, do not sleep        wake who sleeps on the word
//!   sleep while the state is what I saw
//! ```
//! The fences pair: either the watcher sees the sequence of the call, changes the word that its caller is about to
//! sleep on and wakes it, or the caller sees that the server is dead.

use crate::sync::{AtomicBool, AtomicU64, Ordering, fence};
use crate::wire::head;

/// Watcher: the server is dead from now on. Each lane's sequence must be looked at after this.
pub(crate) fn declare(dead: &AtomicBool) {
    // Release: what we know of the server's last answers before its death; pairs with the acquire in `last_look`.
    dead.store(true, Ordering::Release);
    // Pairs with the fences that a caller passes between its sequence and its look at `dead`: that in
    // `doorbell::announce` and that in `reply_wait::intend_to_sleep`.
    fence(Ordering::SeqCst);
}

/// Caller: if the server is dead, the state word as it will stay; `None` while it lives. Must be asked after the state
/// word was seen without an answer.
#[inline]
pub(crate) fn last_look(dead: &AtomicBool, state: &AtomicU64) -> Option<u64> {
    // Acquire: the answer may have come since we looked, and the death after it. Who sees the death sees the answer.
    dead.load(Ordering::Acquire).then(|| state.load(Ordering::Acquire))
}

/// Watcher: changes the state word of a reply that will not come, so that nobody falls asleep on it. The caller must
/// wake those who sleep already. `sequence` is that of the lane's last call.
pub(crate) fn unsettle(state: &AtomicU64, sequence: u32) {
    let word = state.load(Ordering::Relaxed);
    if head::sequence(word) == sequence {
        return;
    }
    // Half way round, the sequence is neither what the caller saw nor what it waits for. An answer of which we know
    // stands; if one comes at this very moment, the caller gets either.
    let changed = u64::from(sequence.wrapping_add(1 << 31));
    // Relaxed: who sees the changed word sees that the server is dead; the fence in `declare` gave that order.
    let _ = state.compare_exchange(word, changed, Ordering::Relaxed, Ordering::Relaxed);
}
