//! The client's side: as many bytes as there are.

use super::{MAX_BYTES, Terminal};
use portcullis_component::Error;
use portcullis_rpc::Client;

/// A client of a terminal session.
pub type TerminalClient = Client<dyn Terminal>;

/// What a terminal can do that takes several calls.
pub trait TerminalBytes: Terminal {
    /// Writes all of the bytes. Blocks until they are taken.
    ///
    /// # Errors
    /// Of the first call that fails; what came before is written.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.write(&rest[..rest.len().min(MAX_BYTES)]).get()?;
            // A server that claims to have taken more than there was has taken all.
            rest = rest.get(usize::try_from(taken).unwrap_or(usize::MAX)..).unwrap_or_default();
        }
        Ok(())
    }
}

impl<T: Terminal + ?Sized> TerminalBytes for T {}
