//! When a client must wake the server: the words `watched` and `pending` of a channel.
//!
//! ```text
//!             client                                 server
//!   publish the request's state           watched := 0            (it wants to sleep)
//!   fence                                 fence
//!   watched has my lane? done             a polled lane has a request? do not sleep
//!   pending |= lane; had it? done         pending not empty?           do not sleep
//!   fence                                 sleep until the bell rings
//!   watched has AWAKE? done               watched := AWAKE | lanes it polls
//!   ring                                  take all that is pending
//! ```
//! The fences pair: if the client reads `watched` as it was before the server's store, its own publication is
//! visible to the server's second look; otherwise it sees that nobody watches, and rings.
//!
//! A bit that was pending already was set by somebody who has rung, is about to, or need not; the server takes it
//! together with what we have published. So each bit rings at most once a wake, which bounds how many rings can lie
//! in the socket before the server reads it.

use crate::sync::{AtomicU64, Ordering, fence};
use crate::wire::layout::{AWAKE, RELEASES_AT_ONCE};

/// Client: call after the request's state word was stored. Answers whether the bell must be rung.
#[inline]
pub(crate) fn announce(watched: &AtomicU64, pending: &AtomicU64, lane: u64) -> bool {
    // Orders the state word before the load: pairs with the fence in `unwatch`.
    fence(Ordering::SeqCst);
    // Relaxed: the value decides only whether to ring; the fence gave the order.
    if watched.load(Ordering::Relaxed) & lane != 0 {
        return false;
    }
    announce_unwatched(watched, pending, lane)
}

/// Client: like [`announce`], for what the server never polls.
#[cold]
pub(crate) fn announce_unwatched(watched: &AtomicU64, pending: &AtomicU64, bit: u64) -> bool {
    // Release: who takes the bit (acquire in `take_pending`) sees what was published before it.
    if pending.fetch_or(bit, Ordering::Release) & bit != 0 {
        return false;
    }
    fence(Ordering::SeqCst);
    watched.load(Ordering::Relaxed) & AWAKE == 0
}

/// Client: whether the server wants to know at once what is released.
#[inline]
pub(crate) fn wants_releases(watched: &AtomicU64) -> bool {
    // Relaxed: the server said so before it granted the first row for which that matters.
    watched.load(Ordering::Relaxed) & RELEASES_AT_ONCE != 0
}

/// Server: from now on it polls these lanes, and looks at `pending` before it sleeps.
pub(crate) fn watch(watched: &AtomicU64, lanes: u64) {
    // Relaxed: a client that reads an old value rings once too often, nothing worse.
    watched.store(AWAKE | lanes, Ordering::Relaxed);
}

/// Server: adds a demand, whether it polls or not.
pub(crate) fn demand(watched: &AtomicU64, demands: u64) {
    // Relaxed: the reply that grants the row comes after, with a release store.
    watched.fetch_or(demands, Ordering::Relaxed);
}

/// Server: it is about to sleep; its demands stand. The caller must look at its lanes and at `pending` once more
/// after this.
pub(crate) fn unwatch(watched: &AtomicU64, demands: u64) {
    watched.store(demands, Ordering::Relaxed);
    // Orders the store before the second look: pairs with the fences in `announce`.
    fence(Ordering::SeqCst);
}

/// Server: whether anything is pending. A plain load of a line that seldom changes.
#[inline]
pub(crate) fn has_pending(pending: &AtomicU64) -> bool {
    pending.load(Ordering::Relaxed) != 0
}

/// Server: takes all that is pending.
pub(crate) fn take_pending(pending: &AtomicU64) -> u64 {
    // Acquire: pairs with the release in `announce_unwatched`.
    pending.swap(0, Ordering::Acquire)
}
