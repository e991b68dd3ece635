//! How other threads leave something for a server's thread: the flags `attention` and `closed` of its home.
//!
//! ```text
//!          another thread                            server
//!   put the post into the queue           attention := false           closed := true
//!   fence                                 fence                        fence
//!   closed? sweep the queue               look into the queue          sweep the queue
//!   attention := true, ring
//! ```
//! The fences pair. If the server lowers the flag after it was raised for a post, it finds that post in the queue;
//! otherwise the flag stays up. If the server's last sweep missed a post, its poster sees that the server has ended.

use crate::sync::{AtomicBool, Ordering, fence};

/// Other threads: call after a post was queued. Answers whether the server has ended, so that the queue must be swept;
/// otherwise the server must be woken.
pub(crate) fn announce(attention: &AtomicBool, closed: &AtomicBool) -> bool {
    // Before the flag is raised: its fence must lie between the post and the flag, too.
    let closed = closed_meanwhile(closed);
    // Relaxed: the fence gave the order.
    attention.store(true, Ordering::Relaxed);
    closed
}

/// Other threads: whether the server has ended and will not see what was left for it just now.
pub(crate) fn closed_meanwhile(closed: &AtomicBool) -> bool {
    // Orders what was left before the look: pairs with the fences in `close` and `lower`.
    fence(Ordering::SeqCst);
    closed.load(Ordering::Relaxed)
}

/// Server: whether there may be posts. A plain load of private memory.
#[inline]
pub(crate) fn wanted(attention: &AtomicBool) -> bool {
    attention.load(Ordering::Relaxed)
}

/// Server: it is about to look into the queue.
pub(crate) fn lower(attention: &AtomicBool) {
    attention.store(false, Ordering::Relaxed);
    // Orders the store before the look: pairs with the fence in `announce`.
    fence(Ordering::SeqCst);
}

/// Server: it took a post and there may be more.
pub(crate) fn raise(attention: &AtomicBool) {
    // Relaxed: nobody but the server itself must see this.
    attention.store(true, Ordering::Relaxed);
}

/// Server: it ends. What others left must be swept after this.
pub(crate) fn close(closed: &AtomicBool) {
    closed.store(true, Ordering::Relaxed);
    // Orders the store before the sweep: pairs with the fence in `closed_meanwhile`.
    fence(Ordering::SeqCst);
}
