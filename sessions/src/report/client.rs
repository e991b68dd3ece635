//! The client's side: whole reports.

use super::{MAX_WRITE, Report};
use portcullis_component::Error;
use portcullis_rpc::Client;

/// A client of a report session.
pub type ReportClient = Client<dyn Report>;

/// What a report can do that takes several calls.
pub trait ReportContent: Report {
    /// Reports a content: what has no room in the buffer is an error, and nothing is reported then.
    ///
    /// # Errors
    /// [`Error::InsufficientRamQuota`] if the buffer is too small, or of the first call that fails.
    fn report(&mut self, content: &[u8]) -> Result<(), Error> {
        let mut offset = 0;
        for part in content.chunks(MAX_WRITE) {
            let taken = self.write(offset, part)?;
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            if taken < length {
                let missing = portcullis_shm::RamQuota::bytes(u64::from(length - taken));
                return Err(Error::InsufficientRamQuota { missing });
            }
            offset += length;
        }
        self.submit(offset)
    }
}

impl<R: Report + ?Sized> ReportContent for R {}
