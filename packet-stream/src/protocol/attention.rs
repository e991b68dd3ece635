//! What a party attends to: which signals it does not need because it looks by itself, and whether it sleeps on its
//! bell.
//!
//! ```text
//!           who signals                             the party
//!   publish (put or take)                   attention := what it sleeps on
//!   fence                                   fence
//!   attention has the edge? done            there is something? do not sleep
//!   attention has SLEEPS? ring the bell     sleep while the bell is what it was
//!   else its handler's signal
//! ```
//! The fences pair: either who signals sees that nobody looks, or its publication is seen by the party's second look.

use crate::sync::{AtomicU32, Ordering, fence};

/// The party looks by itself whether it may put (a producer), and needs no signal.
pub(crate) const LOOKS_TO_PUT: u32 = 1;
/// The party looks by itself whether there is something to take (a consumer), and needs no signal.
pub(crate) const LOOKS_TO_TAKE: u32 = 2;
/// The party sleeps, or is about to, until its bell changes.
pub(crate) const SLEEPS: u32 = 4;
/// The party has ended the stream.
pub(crate) const CLOSED: u32 = 8;
/// Above the flags: the core that the party runs on, a hint for whoever waits for it.
const CORE_SHIFT: u32 = 8;

/// The party: what it attends to from now on, and where it runs. If it gives up any look, it must look once more
/// after this.
pub(crate) fn attend(attention: &AtomicU32, flags: u32, core: u8) {
    // Relaxed: it carries no data. Who reads an old value signals once too often, or relies on the second look.
    attention.store(flags | u32::from(core) << CORE_SHIFT, Ordering::Relaxed);
    // Orders the store before the second look: pairs with the fence in `End::publish`.
    fence(Ordering::SeqCst);
}

/// The other side: on which core the party says that it runs.
pub(crate) fn core(attention: &AtomicU32) -> u8 {
    attention.load(Ordering::Relaxed).to_le_bytes()[1]
}

/// The other side: what a party that sleeps is woken by, once the kernel is asked to.
///
/// The bell is a count that only ever changes, so that a party that compares it with what it saw before its second look
/// sleeps through nothing.
pub(crate) fn ring(bell: &AtomicU32) {
    // Release: what is signalled before the bell; pairs with the fence in `attend`, before which the bell was seen.
    bell.fetch_add(1, Ordering::Release);
}

/// The party: the bell as it is before it says that it sleeps and looks once more.
pub(crate) fn seen(bell: &AtomicU32) -> u32 {
    // Relaxed: the fence in `attend`, which follows, makes it an acquire.
    bell.load(Ordering::Relaxed)
}
