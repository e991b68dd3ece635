//! Word count: a counter that makes a counting object for each client, and a client that streams its standard
//! input to the object it was handed.
//!
//! `count` is the counting itself, `reply` the form of answers, `interface` the methods and their encoding with a
//! proxy for each kind of object, `counter` and `client` the two components.

pub mod client;
mod count;
pub mod counter;
mod interface;
mod reply;

pub use count::{Counts, WordCounter, WordRule};
pub use interface::{CounterClient, CountingClient, Progress, Report, StreamFailure, StreamerClient};
pub use reply::{Failure, Refusal};

/// The name of the counter's program.
pub const COUNTER: &str = "wordcount/counter";
/// The name of the client's program.
pub const CLIENT: &str = "wordcount/client";
