//! For whom an entrypoint waits, said to all its clients at once: three words that only the entrypoint writes.
//!
//! ```text
//!            entrypoint                                  a client of it
//!   chain, callee := of the call            turn odd? else it does not wait
//!   turn := odd       (release)             chain, callee
//!   ... it waits ...                        fence (acquire)
//!   turn := even                            turn is the same? then they belong together
//!   fence
//!   ... it takes requests ...
//! ```
//! Two entrypoints that are about to wait for each other find out: each says so, passes the fence with which it
//! announces its request ([`doorbell::announce`](super::doorbell::announce)), and then looks at the other's words. At
//! least one of them sees the other. Who withdraws his request then, and sees that the other still waits, knows that it
//! is not carried out.

use crate::sync::{AtomicU64, Ordering, fence};

/// The words, by their place in the entrypoint's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Odd while it waits; counts.
    Turn = 0,
    /// The chain of calls that it waits in.
    Chain = 1,
    /// The entrypoint that it waits for.
    Callee = 2,
}

/// What an entrypoint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) chain: u64,
    pub(crate) callee: u64,
}

/// A wait that was seen: another one, even of the same chain, is never the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    turn: u64,
    pub(crate) wait: Wait,
}

/// Entrypoint: it waits from now on. Nothing is ordered by this; the caller must pass a sequentially consistent fence
/// before it looks at the words of others.
pub(crate) fn enter<'a>(words: impl Fn(Word) -> &'a AtomicU64, wait: Wait) {
    words(Word::Chain).store(wait.chain, Ordering::Relaxed);
    words(Word::Callee).store(wait.callee, Ordering::Relaxed);
    let turn = words(Word::Turn);
    // Release: both words before the turn that says that they are there; pairs with the acquire in `glimpse`.
    turn.store(turn.load(Ordering::Relaxed) | 1, Ordering::Release);
}

/// Entrypoint: it waits no more.
pub(crate) fn leave<'a>(words: impl Fn(Word) -> &'a AtomicU64) {
    let turn = words(Word::Turn);
    turn.store((turn.load(Ordering::Relaxed) | 1).wrapping_add(1), Ordering::Relaxed);
    // The turn before the words of the next wait: pairs with the fence in `glimpse`. And before the next request is taken:
    // pairs with the fence in `still_waits`.
    fence(Ordering::SeqCst);
}

/// Client: for whom the entrypoint waits, if it does. Its words are alleged; who lies there makes its own callers
/// wait for their deadlines.
pub(crate) fn glimpse(load: impl Fn(Word, Ordering) -> u64) -> Option<Seen> {
    // Acquire: pairs with the release in `enter`.
    let turn = load(Word::Turn, Ordering::Acquire);
    if turn & 1 == 0 {
        return None;
    }
    let wait =
        Wait { chain: load(Word::Chain, Ordering::Relaxed), callee: load(Word::Callee, Ordering::Relaxed) };
    // The words before the second look at the turn: pairs with the fence in `leave`.
    fence(Ordering::Acquire);
    (load(Word::Turn, Ordering::Relaxed) == turn).then_some(Seen { turn, wait })
}

/// Client: whether the entrypoint has waited without a break since that was seen. Then it has taken no request since, and
/// will see what was stored before this.
pub(crate) fn still_waits(seen: Seen, load: impl Fn(Word, Ordering) -> u64) -> bool {
    // What was stored before the look at the turn: pairs with the fence in `leave`.
    fence(Ordering::SeqCst);
    load(Word::Turn, Ordering::Relaxed) == seen.turn
}
