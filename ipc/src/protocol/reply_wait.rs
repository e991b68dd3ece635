//! When a server must wake a client: the state word of a reply and the channel's word `waiting`.
//!
//! ```text
//!             client                                 server
//!   waiting |= lane       (it wants to sleep)        store the reply's state
//!   fence                                            fence
//!   the reply is there? do not sleep                 waiting has the lane? wake it
//!   sleep while the state is what I saw
//! ```
//! The kernel compares the state once more under its own lock (futex(2)), so a reply between the last look and the
//! sleep is not missed either. A lane has two bits: one for a thread that sleeps so, and one for a task, which the
//! server wakes by a doorbell (see `tasks`).

use crate::sync::{AtomicU64, Ordering, fence};

/// Client: it is about to sleep, in the way that the bit says. It must look at the state once more after this.
pub(crate) fn intend_to_sleep(waiting: &AtomicU64, bit: u64) {
    // Relaxed: the fence orders it before the second look; it carries no data.
    waiting.fetch_or(bit, Ordering::Relaxed);
    // Pairs with the fence in `publish`.
    fence(Ordering::SeqCst);
}

/// Client: it is awake again.
pub(crate) fn awake(waiting: &AtomicU64, bit: u64) {
    // Relaxed: a server that still reads the bit wakes nobody, at the cost of a system call.
    waiting.fetch_and(!bit, Ordering::Relaxed);
}

/// Server: stores the reply's state, and answers which of the lane's bits are set: who sleeps until it is there.
#[inline]
pub(crate) fn publish(state: &AtomicU64, word: u64, waiting: &AtomicU64, bits: u64) -> u64 {
    // Release: the data of the reply before its state; pairs with the acquire load of the waiting client.
    state.store(word, Ordering::Release);
    // The state before the look at `waiting`: pairs with the fence in `intend_to_sleep`.
    fence(Ordering::SeqCst);
    waiting.load(Ordering::Relaxed) & bits
}
