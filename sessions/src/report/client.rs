//! The client's side: the buffer.

use super::Report;
use portcullis_component::Error;
use portcullis_rpc::Client;
use portcullis_shm::{BufferClient, RamQuota};

/// A client of a report session.
pub type ReportClient = Client<dyn Report>;

/// What a report can do that takes several calls.
pub trait ReportBuffer: Report {
    /// Attaches the buffer, which is done once for a session.
    ///
    /// # Errors
    /// Of the call, or [`Error::Memory`] if what comes is no dataspace.
    fn attach(&mut self) -> Result<BufferClient, Error> {
        let buffer = self.dataspace()?;
        Ok(BufferClient::attach(&buffer)?)
    }

    /// Reports a content by way of the attached buffer: what has no room there is an error, and nothing is reported then.
    ///
    /// # Errors
    /// [`Error::InsufficientRamQuota`] if the buffer is too small, and what it lacks; [`Error::Memory`] if the session is closed;
    /// of the call.
    fn report_by(&mut self, buffer: &BufferClient, content: &[u8]) -> Result<(), Error> {
        let missing = RamQuota::bytes(content.len().saturating_sub(buffer.size()) as u64);
        if missing > RamQuota::default() {
            return Err(Error::InsufficientRamQuota { missing });
        }
        let length = buffer.fill(content)?;
        self.submit(u32::try_from(length).unwrap_or(u32::MAX))
    }
}

impl<R: Report + ?Sized> ReportBuffer for R {}
