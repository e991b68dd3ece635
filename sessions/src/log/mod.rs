//! Log: lines of text, for a human to read later.
//!
//! Arguments: none; the label says who writes. A text of more than [`MAX_TEXT`] bytes takes several calls, as
//! [`LogText::print`] does it.

mod client;
mod component;
mod connection;

pub use client::{LogClient, LogText, MAX_TEXT};
pub use component::{LogComponent, LogSession};
pub use connection::LogConnection;

use portcullis_component::Service;
use portcullis_rpc::{self as rpc, rpc_interface};

/// A log session.
#[rpc_interface(name = "log")]
pub trait Log {
    /// Writes a text, and answers how many bytes of it were taken: all. Control characters other than tabs and the ends of
    /// lines are not written as they are, that no client can forge the lines of another.
    fn write(&mut self, text: &str) -> Result<usize, rpc::Error>;
}

impl Service for dyn Log {
    type Arguments = ();
}
