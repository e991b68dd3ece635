//! Memory of a dataspace that this process can access.

use crate::error::Error;
use crate::life::Life;
use crate::life_word::LifeWord;
use crate::quota::Reservation;
use crate::sys::memory::Memory;
use crate::view::{View, ViewMut};
use crate::window::check;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A part of a dataspace, mapped until the last clone is dropped. Threads may share it.
///
/// Others may write the memory at any time, so it is read by copies and never lent. Every access is checked: outside of it,
/// against its protection, or after its owner freed the dataspace, it is an error and not a fault. Nothing here blocks.
///
/// ```
/// use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota, Window};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(4096)?;
/// let attached = dataspace.attach(Window::WHOLE)?;
/// attached.copy_from(100, b"hello")?;
/// let mut copy = [0; 5];
/// attached.copy_to(100, &mut copy)?;
/// assert_eq!(&copy, b"hello");
/// assert_eq!(attached.read::<[u8; 2]>(103)?, *b"lo");
/// assert!(matches!(attached.copy_to(4092, &mut copy), Err(Error::OutOfBounds { .. })));
/// drop(dataspace);
/// assert_eq!(attached.copy_to(100, &mut copy), Err(Error::Revoked));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Attachment(Arc<Part>);

/// What an attachment and its views look at.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) memory: Arc<Memory>,
    pub(crate) life: Arc<Life>,
    /// Where it begins in the memory, in bytes.
    pub(crate) start: usize,
    /// Where it begins in the dataspace, in bytes.
    pub(crate) offset: usize,
    pub(crate) len: usize,
    pub(crate) writable: bool,
    /// What pays for pages that somebody else may have taken away and that our access brings back.
    pub(crate) _charge: Option<Arc<Reservation>>,
}

impl Attachment {
    pub(crate) fn new(part: Part) -> Attachment {
        Attachment(Arc::new(part))
    }

    /// The length, in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // no dataspace is empty
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether it can be written.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.0.writable
    }

    /// Whether the owner has freed the dataspace, as far as can be seen.
    #[inline]
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.0.life.check().is_err()
    }

    /// The word that a free changes, for whoever sleeps until something happens in the memory.
    #[inline]
    #[must_use]
    pub fn life_word(&self) -> LifeWord<'_> {
        LifeWord::new(&self.0.life)
    }

    /// All of it, to read.
    #[must_use]
    pub fn whole(&self) -> View<'_> {
        View::new(&self.0, 0, self.0.len)
    }

    /// A part of it, to read, without copying anything.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`].
    #[inline]
    pub fn view(&self, offset: usize, len: usize) -> Result<View<'_>, Error> {
        check(offset, len, self.0.len)?;
        Ok(View::new(&self.0, offset, len))
    }

    /// A part of it, to read and write, without copying anything. Others may have views of the same part.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::ReadOnly`].
    #[inline]
    pub fn view_mut(&self, offset: usize, len: usize) -> Result<ViewMut<'_>, Error> {
        check(offset, len, self.0.len)?;
        ViewMut::new(View::new(&self.0, offset, len))
    }

    /// Copies bytes from the memory to `to`.
    ///
    /// What others write meanwhile may come in parts, old bytes beside new ones.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Revoked`]; what `to` holds then means nothing.
    #[inline]
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), Error> {
        self.view(offset, to.len())?.copy_to(to)
    }

    /// Copies bytes from `from` to the memory.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::ReadOnly`], [`Error::Revoked`]; nothing is written.
    #[inline]
    pub fn copy_from(&self, offset: usize, from: &[u8]) -> Result<(), Error> {
        self.view_mut(offset, from.len())?.copy_from(from)
    }

    /// Copies a value out of the memory. `offset` need not be aligned.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Revoked`].
    #[inline]
    pub fn read<T: FromBytes>(&self, offset: usize) -> Result<T, Error> {
        self.view(offset, size_of::<T>())?.read(0)
    }

    /// Copies a value into the memory. `offset` need not be aligned.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::ReadOnly`], [`Error::Revoked`]; nothing is written.
    #[inline]
    pub fn write<T: IntoBytes + Immutable>(&self, offset: usize, value: &T) -> Result<(), Error> {
        self.copy_from(offset, value.as_bytes())
    }

    /// A word of the memory, for what needs an ordering: aligned by its place in the dataspace. After a revocation it is a word
    /// of no meaning that nobody else sees: whoever polls one looks at [`is_revoked`](Self::is_revoked) now and then.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`], [`Error::ReadOnly`] (see [`View::load_u32`]), [`Error::Revoked`].
    #[inline]
    pub fn atomic_u32(&self, offset: usize) -> Result<&AtomicU32, Error> {
        Ok(self.0.memory.atomic_u32(self.word::<AtomicU32>(offset)?))
    }

    /// As [`atomic_u32`](Self::atomic_u32).
    ///
    /// # Errors
    /// As of [`atomic_u32`](Self::atomic_u32).
    #[inline]
    pub fn atomic_u64(&self, offset: usize) -> Result<&AtomicU64, Error> {
        Ok(self.0.memory.atomic_u64(self.word::<AtomicU64>(offset)?))
    }

    /// Words that follow each other, as [`atomic_u64`](Self::atomic_u64) gives one.
    ///
    /// # Errors
    /// As of [`atomic_u64`](Self::atomic_u64).
    pub fn atomics_u64(&self, offset: usize, count: usize) -> Result<&[AtomicU64], Error> {
        check(offset, count.saturating_mul(size_of::<AtomicU64>()), self.0.len)?;
        if count == 0 {
            return Ok(&[]);
        }
        Ok(self.0.memory.atomics_u64(self.word::<AtomicU64>(offset)?, count))
    }

    /// The first address in this process: for what needs an address, such as a system call. What is done with it is unsafe.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        self.0.memory.start().as_ptr().wrapping_add(self.0.start)
    }

    /// Where it is in its region map.
    pub(crate) fn place(&self) -> Option<usize> {
        self.0.memory.place()
    }

    fn word<W>(&self, offset: usize) -> Result<usize, Error> {
        self.0.may_write()?;
        self.0.word::<W>(offset, 0, self.0.len)
    }
}

impl Part {
    /// Whether it may be written now.
    #[inline]
    pub(crate) fn may_write(&self) -> Result<(), Error> {
        if !self.writable {
            return Err(Error::ReadOnly);
        }
        self.life.check()
    }

    /// Where in the mapping a word lies that is at `offset` of a part of this part.
    #[inline]
    pub(crate) fn word<W>(&self, offset: usize, start: usize, len: usize) -> Result<usize, Error> {
        check(offset, size_of::<W>(), len)?;
        self.aligned(start + offset, align_of::<W>())
    }

    /// Where in the mapping it is that is at `offset` of this part, if that is a multiple of `alignment`.
    #[inline]
    pub(crate) fn aligned(&self, offset: usize, alignment: usize) -> Result<usize, Error> {
        // A mapping begins on a page of the dataspace, so that a place is aligned in both or in none.
        let place = self.start + offset;
        if !place.is_multiple_of(alignment) {
            return Err(Error::Misaligned { offset: self.offset + offset, alignment });
        }
        Ok(place)
    }
}
