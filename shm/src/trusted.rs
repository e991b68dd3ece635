//! Plain slices of shared memory, for a pair that trust each other.
#![allow(unsafe_code)]

use crate::attachment::Attachment;
use crate::error::Error;

impl Attachment {
    /// The memory as a plain slice, for a pair that trust each other.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Revoked`].
    ///
    /// # Safety
    /// While the slice lives, nobody in any process writes these bytes, frees the dataspace or punches a hole into it. So
    /// everybody who can write it is trusted, not only to mean well but to be free of errors.
    pub unsafe fn slice(&self, offset: usize, len: usize) -> Result<&[u8], Error> {
        let (memory, start) = self.view(offset, len)?.place()?;
        // SAFETY: the caller's promise is the one that is asked for; without a free there is no blanking.
        Ok(unsafe { memory.slice(start, len) })
    }

    /// The memory as a plain slice that can be written, for a pair that trust each other.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::ReadOnly`], [`Error::Revoked`].
    ///
    /// # Safety
    /// As of [`slice`](Self::slice), and nobody reads these bytes either.
    #[allow(clippy::mut_from_ref)] // that there is but one is part of the promise
    pub unsafe fn slice_mut(&self, offset: usize, len: usize) -> Result<&mut [u8], Error> {
        let (memory, start) = self.view_mut(offset, len)?.view().place()?;
        // SAFETY: the caller's promise is the one that is asked for; without a free there is no blanking.
        Ok(unsafe { memory.slice_mut(start, len) })
    }
}
