//! Who may touch which entry of a queue, and who wakes whom: pure, on words that are handed in, so that it can be
//! explored whole.
//!
//! A queue has two counts in shared memory: its producer counts what it ever put, its consumer what it ever took. Each
//! side keeps its own count in private memory and believes of the other's only what fits ([`end`]). Whether the other
//! side is to be told is said by a word of its own ([`attention`]).

pub(crate) mod attention;
pub(crate) mod end;
pub(crate) mod hang_up;
#[cfg(all(test, loom))]
mod models;
