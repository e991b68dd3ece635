//! Word count: a counter that makes a counting object for each client, and a client that streams its standard
//! input to the object it was handed.
//!
//! `interface` has the interfaces and what travels through them, `count` the counting itself, `counter` and `client`
//! the two components.

pub mod client;
mod count;
pub mod counter;
mod interface;

pub use count::{Counts, WordCounter, WordRule};
pub use interface::{Counter, Counting, Failure, PIECE, Progress, Report, StreamFailure, Streamer};

/// The name of the counter's program.
pub const COUNTER: &str = "wordcount/counter";
/// The name of the client's program.
pub const CLIENT: &str = "wordcount/client";
