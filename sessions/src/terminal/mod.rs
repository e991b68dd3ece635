//! Terminal: bytes to and from whoever sits in front of it.
//!
//! Arguments: none. A session has two buffers that the server makes on the donation, and that the client attaches once: of the
//! one it takes what [`read`](Terminal::read) says lies there, into the other it puts what [`write`](Terminal::write) says. Calls carry
//! numbers of bytes and no bytes.
//!
//! Whoever does not want to wait in a call is signalled when there is something to read, and asks then; likewise when the size
//! has changed.

mod client;
mod component;
mod connection;
mod link;

pub use client::{TerminalBuffers, TerminalBytes, TerminalClient};
pub use component::{CrosslinkComponent, CrosslinkSession};
pub use connection::TerminalConnection;

use portcullis_component::{Error, Quota, Service};
use portcullis_rpc::{DataspaceCapability, Later, SignalCapability, rpc_interface};
use serde::{Deserialize, Serialize};

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

/// The buffers of a session, as they travel; [`TerminalBuffers`] are what is attached of them.
///
/// ```
/// use portcullis_sessions::terminal::{Buffers, TerminalBuffers};
/// use portcullis_shm::{Buffer, RamAccount, RamAllocator, RamQuota};
///
/// let allocator = RamAllocator::new(&RamAccount::new(RamQuota::kib(64)));
/// let (input, output) = (Buffer::new(&allocator, 4096)?, Buffer::new(&allocator, 1000)?);
/// let buffers = Buffers { input: input.capability().into(), output: output.capability().into() };
/// assert_eq!(TerminalBuffers::attach(&buffers).unwrap().room(), 1000);
/// # Ok::<_, portcullis_shm::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Buffers {
    /// Where that lies which is read.
    pub input: DataspaceCapability,
    /// Where that lies which is to be written.
    pub output: DataspaceCapability,
}

/// A terminal session.
#[rpc_interface(name = "terminal")]
pub trait Terminal {
    /// How large it is.
    fn size(&mut self) -> Result<Size, Error>;
    /// The session's buffers, to be attached.
    fn buffers(&mut self) -> Result<Buffers, Error>;
    /// How many bytes from that position on can be read without waiting.
    fn available(&mut self, position: u64) -> Result<u32, Error>;
    /// Answers how many bytes lie in the input buffer now, as soon as that is at least one; with 0 when nobody can type any more.
    /// `position` is how many bytes the client has taken out of the buffer in all: those are let go, and what lies there are the
    /// ones behind them. So nothing is lost with an answer that comes too late for its caller. One call at a time waits in each
    /// session; another one takes its place, and its caller is told that it was abandoned.
    fn read(&mut self, position: u64) -> Later<Result<u32, Error>>;
    /// Answers how many of the first `length` bytes of the output buffer were taken, as soon as that is at least one. The buffer
    /// is the server's until then. One call at a time waits, as with [`read`](Self::read). [`Error::Memory`] if the buffer has not
    /// as many.
    fn write(&mut self, length: u32) -> Later<Result<u32, Error>>;
    /// What is signalled when there is something to read, instead of what was before; at once if there is something already.
    fn read_signal(&mut self, context: SignalCapability) -> Result<(), Error>;
    /// What is signalled when the size has changed, instead of what was before.
    fn size_signal(&mut self, context: SignalCapability) -> Result<(), Error>;
}

impl Service for dyn Terminal {
    type Arguments = ();

    fn donation((): &()) -> Quota {
        Quota::new(32_768, 6)
    }
}
