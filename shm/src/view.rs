//! Parts of an attachment, lent without copying.

use crate::attachment::Part;
use crate::error::Error;
use crate::sys::memory::{BLOCK, Memory};
use crate::sys::racing::LINE;
use crate::window::check;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A part of an attachment, to read. It is memory that others may write, so what is read is a copy.
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(100_000)?;
/// let attached = dataspace.attach(Window::WHOLE)?;
/// attached.copy_from(50_000, &[1; 50_000])?;
/// // Block by block: each is copied to where it stays in the cache, and looked at there.
/// let mut sum = 0;
/// attached.whole().for_each_block(|_, block| sum += block.iter().map(|byte| u32::from(*byte)).sum::<u32>())?;
/// assert_eq!(sum, 50_000);
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    part: &'a Part,
    start: usize,
    len: usize,
}

impl<'a> View<'a> {
    /// `start` and `len` lie within the part.
    #[inline]
    pub(crate) fn new(part: &'a Part, start: usize, len: usize) -> View<'a> {
        View { part, start, len }
    }

    /// The mapping, and where in it this is.
    pub(crate) fn place(self) -> Result<(&'a Memory, usize), Error> {
        self.part.life.check()?;
        Ok((&self.part.memory, self.part.start + self.start))
    }

    /// The length, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A part of it.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`].
    #[inline]
    pub fn view(&self, offset: usize, len: usize) -> Result<View<'a>, Error> {
        check(offset, len, self.len)?;
        Ok(View { start: self.start + offset, len, ..*self })
    }

    /// Copies its first bytes, as many as `to` has room for.
    ///
    /// What others write meanwhile may come in parts, old bytes beside new ones.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]: there are less; [`Error::Revoked`]; what `to` holds then means nothing.
    #[inline]
    pub fn copy_to(&self, to: &mut [u8]) -> Result<(), Error> {
        check(0, to.len(), self.len)?;
        self.part.life.check()?;
        self.part.memory.copy_out(self.part.start + self.start, to);
        self.part.life.check_after()
    }

    /// A copy of it.
    ///
    /// # Errors
    /// [`Error::Revoked`].
    pub fn to_vec(self) -> Result<Vec<u8>, Error> {
        let mut copy = vec![0; self.len];
        self.copy_to(&mut copy)?;
        Ok(copy)
    }

    /// Copies a value. `offset` need not be aligned.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Revoked`].
    #[inline]
    pub fn read<T: FromBytes>(&self, offset: usize) -> Result<T, Error> {
        check(offset, size_of::<T>(), self.len)?;
        self.part.life.check()?;
        let value = self.part.memory.read(self.part.start + self.start + offset);
        self.part.life.check_after()?;
        Ok(value)
    }

    /// Copies it block by block into private memory that stays in the cache, and shows each block with its offset. The
    /// fastest safe way to read much.
    ///
    /// Nothing is shown that came out of a dataspace which had been freed.
    ///
    /// # Errors
    /// [`Error::Revoked`]; some blocks may have been shown before.
    #[inline]
    pub fn for_each_block(&self, mut look: impl FnMut(usize, &[u8])) -> Result<(), Error> {
        for offset in (0..self.len).step_by(BLOCK) {
            self.part.life.check()?;
            let len = BLOCK.min(self.len - offset);
            self.part.memory.with_copy(self.part.start + self.start + offset, len, |block| {
                self.part.life.check_after()?;
                look(offset, block);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads it line by line into registers, and shows each line with its offset; what is left at the end is shown as a part
    /// of a line that is filled up with zeros. For a single pass that looks at everything once: a checksum, a search.
    ///
    /// What is shown may come out of a dataspace that was freed meanwhile: what was found out counts only if this succeeds.
    ///
    /// # Errors
    /// [`Error::Revoked`]; [`Error::Misaligned`] if it does not begin at a multiple of 16 in the dataspace.
    #[inline]
    pub fn for_each_line(&self, mut look: impl FnMut(usize, &[u8; LINE])) -> Result<(), Error> {
        let place = self.part.aligned(self.start, 16)?;
        self.part.life.check()?;
        let whole = self.len / LINE * LINE;
        self.part.memory.for_each_line(place, self.len / LINE, &mut look);
        if whole != self.len {
            let mut rest = [0; LINE];
            self.part.memory.copy_out(place + whole, &mut rest[..self.len - whole]);
            look(whole, &rest);
        }
        self.part.life.check_after()
    }

    /// Loads a word, with relaxed or acquire ordering.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`], [`Error::Revoked`].
    ///
    /// # Panics
    /// If the ordering is none of a load.
    #[inline]
    pub fn load_u32(&self, offset: usize, ordering: Ordering) -> Result<u32, Error> {
        let place = self.part.word::<AtomicU32>(offset, self.start, self.len)?;
        self.part.life.check()?;
        Ok(self.part.memory.load_u32(place, ordering))
    }

    /// As [`load_u32`](Self::load_u32).
    ///
    /// # Errors
    /// As of [`load_u32`](Self::load_u32).
    ///
    /// # Panics
    /// As [`load_u32`](Self::load_u32).
    #[inline]
    pub fn load_u64(&self, offset: usize, ordering: Ordering) -> Result<u64, Error> {
        let place = self.part.word::<AtomicU64>(offset, self.start, self.len)?;
        self.part.life.check()?;
        Ok(self.part.memory.load_u64(place, ordering))
    }
}

/// A part of an attachment, to read and write. Others may write the same part.
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(4096)?;
/// let attached = dataspace.attach(Window::WHOLE)?;
/// let packet = attached.view_mut(1000, 100)?;
/// packet.copy_from(b"payload")?;
/// assert_eq!(packet.view().read::<[u8; 4]>(0)?, *b"payl");
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ViewMut<'a>(View<'a>);

impl<'a> ViewMut<'a> {
    #[inline]
    pub(crate) fn new(view: View<'a>) -> Result<ViewMut<'a>, Error> {
        if view.part.writable { Ok(ViewMut(view)) } else { Err(Error::ReadOnly) }
    }

    /// The length, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// The same, to read.
    #[must_use]
    pub fn view(&self) -> View<'a> {
        self.0
    }

    /// A part of it.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`].
    #[inline]
    pub fn view_mut(&self, offset: usize, len: usize) -> Result<ViewMut<'a>, Error> {
        self.0.view(offset, len).map(ViewMut)
    }

    /// Writes its first bytes, as many as `from` has.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]: there are less; [`Error::Revoked`]; nothing is written.
    #[inline]
    pub fn copy_from(&self, from: &[u8]) -> Result<(), Error> {
        let View { part, start, len } = self.0;
        check(0, from.len(), len)?;
        part.may_write()?;
        part.memory.copy_in(part.start + start, from);
        Ok(())
    }

    /// Writes a value. `offset` need not be aligned.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Revoked`]; nothing is written.
    #[inline]
    pub fn write<T: IntoBytes + Immutable>(&self, offset: usize, value: &T) -> Result<(), Error> {
        self.view_mut(offset, size_of::<T>())?.copy_from(value.as_bytes())
    }
}
