//! Terminal: bytes to and from whoever sits in front of it.
//!
//! Arguments: none. Both directions have buffers, paid for by the donation; what does not fit waits at the client.

mod client;
mod component;
mod connection;

pub use client::{TerminalBytes, TerminalClient};
pub use component::{CrosslinkComponent, CrosslinkSession};
pub use connection::TerminalConnection;

use portcullis_component::{Error, Quota, Service};
use portcullis_rpc::{Later, rpc_interface};
use serde::{Deserialize, Serialize};

/// The most bytes that one call brings or takes.
pub const MAX_BYTES: usize = 1000;

/// How large a terminal is, in characters.
///
/// ```
/// use portcullis_sessions::terminal::Size;
///
/// let size = Size { columns: 80, lines: 25 };
/// assert_eq!(u32::from(size.columns) * u32::from(size.lines), 2_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// How many stand in a line.
    pub columns: u16,
    /// How many lines there are.
    pub lines: u16,
}

/// A terminal session.
#[rpc_interface(name = "terminal")]
pub trait Terminal {
    /// How large it is.
    fn size(&mut self) -> Result<Size, Error>;
    /// Answers with what was typed, as soon as there is something; with nothing when nobody can type any more. One call at a
    /// time waits in each session; another one is [`Error::SessionBusy`].
    fn read(&mut self) -> Later<Result<Vec<u8>, Error>>;
    /// Answers how many of the bytes were taken, as soon as that is at least one. One call at a time waits, as with
    /// [`read`](Self::read).
    fn write(&mut self, bytes: &[u8]) -> Later<Result<u32, Error>>;
}

impl Service for dyn Terminal {
    type Arguments = ();

    fn donation((): &()) -> Quota {
        Quota::new(16_384, 4)
    }
}
