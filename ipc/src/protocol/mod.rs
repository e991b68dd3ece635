//! The protocols on shared words, free of system calls and of everything else, so that they can be explored whole.
//!
//! Each is a flag and a second look: one side announces that it is about to sleep and looks again, the other
//! publishes and then looks for the announcement. A sequentially consistent fence between the two steps on both
//! sides makes it impossible that each misses the other (store buffering, Dekker).

pub(crate) mod doorbell;
pub(crate) mod hang_up;
pub(crate) mod lane_queue;
pub(crate) mod line;
#[cfg(all(test, loom))]
mod models;
pub(crate) mod posts;
pub(crate) mod release_ring;
pub(crate) mod reply_wait;
pub(crate) mod signals;
pub(crate) mod tasks;
pub(crate) mod waits;
