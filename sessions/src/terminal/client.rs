//! The client's side: the buffers, and as many bytes as there are.

use super::{Buffers, Terminal};
use portcullis_component::Error;
use portcullis_rpc::{self as rpc, Client};
use portcullis_shm::BufferClient;

/// A client of a terminal session.
pub type TerminalClient = Client<dyn Terminal>;

/// The buffers of a session, attached. [`Buffers`] has an example.
#[derive(Debug)]
pub struct TerminalBuffers {
    input: BufferClient,
    output: BufferClient,
    position: u64,
}

impl TerminalBuffers {
    /// Attaches them, which is done once for a session.
    ///
    /// # Errors
    /// [`Error::Memory`] if what came is no dataspace.
    pub fn attach(buffers: &Buffers) -> Result<TerminalBuffers, Error> {
        let (input, output) = (BufferClient::attach(&buffers.input)?, BufferClient::attach(&buffers.output)?);
        Ok(TerminalBuffers { input, output, position: 0 })
    }

    /// How many bytes were read in all.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The most bytes that one call writes.
    #[must_use]
    pub fn room(&self) -> usize {
        self.output.size()
    }
}

/// What a terminal can do that takes several calls.
pub trait TerminalBytes: Terminal {
    /// Reads what there is. Blocks until that is at least a byte; answers with none when nobody can type any more.
    ///
    /// # Errors
    /// Of the call; [`Error::Memory`] if the session is closed, or the server says more than the buffer has.
    fn read_by(&mut self, buffers: &mut TerminalBuffers) -> Result<Vec<u8>, Error> {
        let length = self.read(buffers.position).get()?;
        let bytes = buffers.input.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        buffers.position += u64::from(length);
        Ok(bytes)
    }

    /// Writes all of the bytes. Blocks until they are taken.
    ///
    /// # Errors
    /// Of the first call that fails; what came before is written. [`Error::Memory`] if the session is closed; the server's
    /// [`MalformedResult`](rpc::Error::MalformedResult) if it answers and has taken nothing.
    fn write_by(&mut self, buffers: &TerminalBuffers, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = buffers.output.fill(&rest[..rest.len().min(buffers.room())])?;
            let taken = self.write(u32::try_from(length).unwrap_or(u32::MAX)).get()?;
            if taken == 0 {
                // It had to wait for room; and who goes on asking such a server never ends.
                return Err(rpc::Error::MalformedResult.into());
            }
            // A server that claims to have taken more than there was has taken what there was.
            let taken = usize::try_from(taken).unwrap_or(usize::MAX).min(length);
            rest = &rest[taken..];
        }
        Ok(())
    }
}

impl<T: Terminal + ?Sized> TerminalBytes for T {}
