//! Synchronous bulk transfer: a buffer that a server owns and its client fills and empties, while calls hand the roles over.
//!
//! ```text
//!   client                                 server
//!             open a session with a budget
//!             ────────────────────────────▶  Buffer::new: on that budget
//!             ◀──── the right to attach it
//!   BufferClient::attach, once
//!   fill
//!             a call: so many bytes lie there
//!             ────────────────────────────▶  copy: what is checked and used is that copy
//!                                            answer
//!             ◀──── the reply: so many
//!   take
//! ```
//! Nothing enforces the roles: a client can write while the server reads. So the server's only way to the content is a
//! private copy. How much lies there travels in the call, and is checked against the size.

use crate::allocator::RamAllocator;
use crate::attachment::Attachment;
use crate::capability::DataspaceCapability;
use crate::dataspace::Dataspace;
use crate::error::Error;
use crate::window::Window;

/// The server's side of a buffer, which it owns. Dropping it frees the buffer, for the client as well.
///
/// ```
/// use portcullis_shm::{Buffer, BufferClient, Error, RamAccount, RamAllocator, RamQuota};
///
/// let session = RamAccount::new(RamQuota::mib(1)); // donated by the client
/// let mut buffer = Buffer::new(&RamAllocator::new(&session), 64 << 10)?;
///
/// let client = BufferClient::attach(&buffer.capability())?;
/// let length = client.fill(b"hello")?;
/// // A call tells the length.
/// assert_eq!(buffer.copy(length)?, b"hello");
/// assert!(matches!(buffer.copy(100_000), Err(Error::OutOfBounds { .. })));
/// let length = buffer.answer(b"hello yourself")?;
/// // Its reply tells the other length.
/// assert_eq!(client.take(length)?, b"hello yourself");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Buffer {
    dataspace: Dataspace,
    attachment: Attachment,
    /// What was copied out last.
    copy: Vec<u8>,
}

impl Buffer {
    /// A buffer of so many bytes, on the allocator's account: that of the session, to which its client has donated.
    ///
    /// # Errors
    /// As of [`RamAllocator::alloc`] and [`Dataspace::attach`].
    pub fn new(allocator: &RamAllocator, size: usize) -> Result<Buffer, Error> {
        let dataspace = allocator.alloc(size)?;
        let attachment = dataspace.attach(Window::WHOLE)?;
        Ok(Buffer { dataspace, attachment, copy: Vec::new() })
    }

    /// The size, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.attachment.len()
    }

    /// The right to attach it, for the client.
    #[must_use]
    pub fn capability(&self) -> DataspaceCapability {
        self.dataspace.capability()
    }

    /// A private copy of the first `length` bytes, which is what to check and to use: whatever the client writes meanwhile,
    /// it stays as it is. It costs as much memory of the server's own, which is kept for the next one.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] if the buffer is not so large.
    pub fn copy(&mut self, length: usize) -> Result<&[u8], Error> {
        let content = self.attachment.view(0, length)?;
        self.copy.resize(length, 0);
        content.copy_to(&mut self.copy)?;
        Ok(&self.copy)
    }

    /// Shows the first `length` bytes block by block, each a private copy: for what is used in passing and needs no check as
    /// a whole, such as a checksum.
    ///
    /// # Errors
    /// As of [`copy`](Self::copy).
    pub fn for_each_block(&self, length: usize, mut look: impl FnMut(&[u8])) -> Result<(), Error> {
        self.attachment.view(0, length)?.for_each_block(|_, block| look(block))
    }

    /// Writes from the start, for the client to read when it has the reply. Answers how much, which is for the reply to tell.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] if the buffer is not so large.
    pub fn answer(&self, bytes: &[u8]) -> Result<usize, Error> {
        self.attachment.copy_from(0, bytes)?;
        Ok(bytes.len())
    }
}

/// The client's side of a buffer that a server owns. [`Buffer`] has an example.
///
/// ```
/// use portcullis_shm::{Buffer, BufferClient, Error, RamAccount, RamAllocator, RamQuota};
///
/// let buffer = Buffer::new(&RamAllocator::new(&RamAccount::new(RamQuota::mib(1))), 4096)?;
/// let client = BufferClient::attach(&buffer.capability())?;
/// assert_eq!(client.size(), 4096);
/// drop(buffer); // the session is closed
/// assert_eq!(client.fill(b"too late"), Err(Error::Revoked));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct BufferClient(Attachment);

impl BufferClient {
    /// Attaches a buffer, which a client does once for a session. The server is trusted to let it be: it alone can free it.
    ///
    /// # Errors
    /// As of [`DataspaceCapability::attach`].
    pub fn attach(buffer: &DataspaceCapability) -> Result<BufferClient, Error> {
        buffer.attach(Window::WHOLE).map(BufferClient)
    }

    /// The size, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Writes from the start. Answers how much, which is for the call to tell.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] if the buffer is not so large, [`Error::Revoked`].
    pub fn fill(&self, bytes: &[u8]) -> Result<usize, Error> {
        self.0.copy_from(0, bytes)?;
        Ok(bytes.len())
    }

    /// What the server has written, as a copy. How much it is the reply tells.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] if the buffer is not so large, [`Error::Revoked`].
    pub fn take(&self, length: usize) -> Result<Vec<u8>, Error> {
        self.0.view(0, length)?.to_vec()
    }
}
