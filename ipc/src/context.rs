//! What a nested call inherits from the call that the thread is serving.

use crate::deadline::Deadline;
use crate::due::Due;
use std::cell::Cell;

/// The call that a thread serves.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    /// Its call chain.
    pub(crate) chain: u64,
    /// When its caller wants the answer.
    pub(crate) due: Due,
}

thread_local! {
    static SERVING: Cell<Option<Context>> = const { Cell::new(None) };
    static NEXT_CHAIN: Cell<u64> = const { Cell::new(0) };
}

/// Says what the thread serves from now on.
#[inline]
pub(crate) fn serve(context: Option<Context>) {
    // `with` and not `set`: the latter is not inlined.
    SERVING.with(|serving| serving.set(context));
}

/// The chain of a call that starts now, and what it may take: never more than the served call has left.
#[inline]
pub(crate) fn start_call(deadline: Deadline) -> (u64, Deadline) {
    match SERVING.with(Cell::get) {
        None => (fresh_chain(), deadline),
        Some(Context { chain, due }) => (chain, deadline.min(due.left())),
    }
}

/// A chain that nobody else has: a random start, then steps through all of 64 bits in scrambled order.
#[inline]
fn fresh_chain() -> u64 {
    let mut chain = NEXT_CHAIN.with(Cell::get);
    if chain == 0 {
        chain = random_start();
    }
    chain = chain.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    NEXT_CHAIN.with(|next| next.set(chain));
    chain
}

#[cold]
fn random_start() -> u64 {
    let mut seed = [0; 8];
    // Without randomness chains are only unlikely to collide: they start at the thread's own address.
    if rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty()).is_err() {
        seed = (&raw const seed as usize as u64).to_ne_bytes();
    }
    u64::from_ne_bytes(seed)
}
