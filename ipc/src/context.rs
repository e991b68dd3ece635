//! What a nested call inherits from the call that the thread is serving.

use crate::deadline::Deadline;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The call that a thread serves.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    /// Its call chain.
    pub(crate) chain: u64,
    /// What the caller had left when it called, in microseconds; 0 for no limit.
    pub(crate) budget: u32,
    /// A time not after the call's arrival.
    pub(crate) since: Instant,
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
        Some(Context { chain, budget: 0, .. }) => (chain, deadline),
        Some(Context { chain, budget, since }) => {
            let left = Duration::from_micros(budget.into()).saturating_sub(since.elapsed());
            (chain, deadline.min(Deadline::After(left)))
        }
    }
}

/// The budget as it stands in a request: microseconds, 0 for no limit, at least 1 otherwise.
#[inline]
pub(crate) fn budget(deadline: Deadline) -> u32 {
    match deadline {
        Deadline::Never => 0,
        Deadline::After(time) => {
            let micros = time.as_secs().saturating_mul(1_000_000).saturating_add(time.subsec_micros().into());
            // Too long for the field (more than an hour) is as good as the longest that it holds.
            u32::try_from(micros).unwrap_or(u32::MAX).max(1)
        }
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
