//! Bulk transfer: a source streams its standard input to a sink, which computes its size and checksum, by one of several ways.
//!
//! - *Calls* bring a piece of less than a kilobyte each.
//! - *A buffer* of the sink's is filled by the source, and handed over by a call.
//! - *A packet stream* has both work at the same time, on packets that no call is made for.
//!
//! `interface` has the interfaces and what travels through them; `source` and `sink` are the
//! components, `content` is what has come.

mod content;
mod interface;
pub mod sink;
pub mod source;

pub use interface::{
    BUFFER, Filled, PACKET, PIECE, Pieces, Receiver, Report, Sink, Source, Summary, geometry,
};

/// The name of the source's program.
pub const SOURCE: &str = "bulk/source";
/// The name of the sink's program.
pub const SINK: &str = "bulk/sink";
