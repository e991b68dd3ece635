//! Parts of a dataspace.

use crate::error::Error;

/// Which part of a dataspace is meant: an offset and a length, or all of it. Not none of it: nobody attaches what has no bytes.
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(10_000)?;
/// assert_eq!(dataspace.attach(Window::WHOLE)?.len(), 10_000);
/// assert_eq!(dataspace.attach(Window::from(4096))?.len(), 5904);
/// assert_eq!(dataspace.attach(Window::new(100, 50))?.len(), 50);
/// assert!(dataspace.attach(Window::new(9_999, 2)).is_err());
/// assert!(dataspace.attach(Window::from(10_000)).is_err(), "nothing is left there");
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    offset: usize,
    len: Option<usize>,
}

impl Window {
    /// All of it.
    pub const WHOLE: Window = Window { offset: 0, len: None };

    /// `len` bytes from `offset` on.
    #[must_use]
    pub const fn new(offset: usize, len: usize) -> Window {
        Window { offset, len: Some(len) }
    }

    /// Everything from `offset` on.
    #[must_use]
    pub const fn from(offset: usize) -> Window {
        Window { offset, len: None }
    }

    /// The offset and the length within so many bytes.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::BadSize`].
    pub(crate) fn within(self, size: usize) -> Result<(usize, usize), Error> {
        let len = self.len.unwrap_or(size.saturating_sub(self.offset));
        check(self.offset, len, size)?;
        // A mapping of no bytes is none (mmap(2)), and an attachment without bytes would be one of no dataspace.
        if len == 0 { Err(Error::BadSize { size: 0 }) } else { Ok((self.offset, len)) }
    }
}

/// Whether `len` bytes at `offset` lie within `size` bytes.
#[inline]
pub(crate) fn check(offset: usize, len: usize, size: usize) -> Result<(), Error> {
    match offset.checked_add(len) {
        Some(end) if end <= size => Ok(()),
        _ => Err(Error::OutOfBounds { offset, len, size }),
    }
}
