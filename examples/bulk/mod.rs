//! Bulk transfer: a source streams its standard input to a sink, which computes its size and checksum, by one of several ways.
//!
//! `interface` has the interfaces and what travels through them; `source` and `sink` are the components.

mod interface;
pub mod sink;
pub mod source;

pub use interface::{PIECE, Pieces, Receiver, Report, Sink, Source, Summary};

/// The name of the source's program.
pub const SOURCE: &str = "bulk/source";
/// The name of the sink's program.
pub const SINK: &str = "bulk/sink";
