//! Word count: a counter that makes a counting object for each client, a client that streams its standard input to the
//! object it was handed, and a log that the object reports to.
//!
//! `interface` has the interfaces and what travels through them, `count` the counting itself; `counter`, `client` and
//! `log` are the components.

pub mod client;
mod count;
pub mod counter;
mod interface;
pub mod log;

pub use count::{Counts, WordCounter, WordRule};
pub use interface::{Counter, Counting, Log, Logbook, PIECE, Report, Streamer};

/// The name of the counter's program.
pub const COUNTER: &str = "wordcount/counter";
/// The name of the client's program.
pub const CLIENT: &str = "wordcount/client";
/// The name of the log's program.
pub const LOG: &str = "wordcount/log";
