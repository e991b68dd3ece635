//! Mappings, and access to what is mapped. Never a reference to it, but for atomics.
#![allow(unsafe_code)]

use super::addresses::Place;
use super::{futex, racing};
use crate::error::Error;
use rustix::fd::AsFd;
use rustix::mm::{MapFlags, ProtFlags};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};
use zerocopy::FromBytes;

/// What a private copy of shared memory is read in: small enough for the first-level cache, beside what is done
/// with it.
pub(crate) const BLOCK: usize = 8 * 1024;

/// A mapping, until it is dropped. What it shows can be replaced by zeros, but its addresses stay mapped.
#[derive(Debug)]
pub(crate) struct Memory {
    start: NonNull<u8>,
    len: usize,
    writable: bool,
    /// Among addresses that were set aside, to which it gives its own back; else they are unmapped.
    place: Option<Place>,
}

// SAFETY: the mapping belongs to the process and not to a thread; its addresses are given up only by `drop`.
unsafe impl Send for Memory {}
// SAFETY: all access through a shared reference is by atomics, or by copies that races cannot harm (`racing`).
unsafe impl Sync for Memory {}

impl Memory {
    /// Maps `len` bytes of a file, which may not be able to shrink: that is the caller's to check. `offset` and `len`
    /// are whole pages.
    pub(crate) fn map(file: impl AsFd, offset: usize, len: usize, writable: bool) -> Result<Memory, Error> {
        let at = std::ptr::null_mut();
        // SAFETY: a mapping at a place that the kernel chooses changes no other memory of this process.
        let start =
            unsafe { rustix::mm::mmap(at, len, protection(writable), MapFlags::SHARED, file, offset as u64) };
        let start =
            NonNull::new(start.map_err(Error::system("mmap"))?.cast()).ok_or(Error::NoRoom { len })?;
        Ok(Memory { start, len, writable, place: None })
    }

    /// As [`map`](Self::map), among addresses that were set aside, as many as the place has.
    pub(crate) fn map_at(
        place: Place,
        file: impl AsFd,
        offset: usize,
        writable: bool,
    ) -> Result<Memory, Error> {
        let (start, len) = (place.address(), place.len());
        let flags = MapFlags::SHARED | MapFlags::FIXED;
        // SAFETY: the addresses are those of the place, which is ours alone; nothing is there that could be accessed.
        let mapped = unsafe {
            rustix::mm::mmap(start.as_ptr().cast(), len, protection(writable), flags, file, offset as u64)
        };
        mapped.map_err(Error::system("mmap"))?;
        Ok(Memory { start, len, writable, place: Some(place) })
    }

    /// The first address.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Where it begins among addresses that were set aside.
    pub(crate) fn place(&self) -> Option<usize> {
        self.place.as_ref().map(Place::start)
    }

    /// The length, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts private zeros in the place of what it showed. Who accesses it at this moment sees the one or the other,
    /// and never a fault. What is written from now on reaches nobody.
    pub(crate) fn blank(&self) -> Result<(), Error> {
        let flags = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
        // SAFETY:
        // - replaces the pages of this mapping alone, all of them;
        // - their content is shared memory, to which there are no references but of atomics, and these see other
        //   values than before, as they might at any time;
        // - the protection stays as it was, and the kernel lets accesses by other threads wait while it replaces them.
        let blanked = unsafe {
            rustix::mm::mmap_anonymous(self.start.as_ptr().cast(), self.len, protection(self.writable), flags)
        };
        blanked.map(drop).map_err(Error::system("mmap"))
    }

    /// Copies bytes out of it.
    ///
    /// # Panics
    /// If they lie outside.
    #[inline]
    pub(crate) fn copy_out(&self, offset: usize, to: &mut [u8]) {
        let from = self.at(offset, to.len());
        // SAFETY: readable, since it is mapped and within bounds (`at`); `to` is exclusively ours, hence not within
        // the mapping, to which no references exist.
        unsafe { racing::copy(from, to.as_mut_ptr(), to.len()) };
    }

    /// Copies bytes into it.
    ///
    /// # Panics
    /// If they would lie outside, or it may not be written.
    #[inline]
    pub(crate) fn copy_in(&self, offset: usize, from: &[u8]) {
        assert!(self.writable, "read-only memory was to be written");
        let to = self.at(offset, from.len());
        // SAFETY: writable, since it is mapped so, and within bounds (`at`); `from` does not change, hence does not lie
        // within the mapping, to which no references exist.
        unsafe { racing::copy(from.as_ptr(), to, from.len()) };
    }

    /// Copies a value out of it.
    ///
    /// # Panics
    /// If it lies outside.
    #[inline]
    pub(crate) fn read<T: FromBytes>(&self, offset: usize) -> T {
        let from = self.at(offset, size_of::<T>());
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: readable and within bounds (`at`); the value is ours alone and large enough.
        unsafe { racing::copy(from, value.as_mut_ptr().cast(), size_of::<T>()) };
        // SAFETY: all its bytes have been written, and any bytes are a `T` (`FromBytes`).
        unsafe { value.assume_init() }
    }

    /// Copies at most a [`BLOCK`] out of it, and lends the copy.
    ///
    /// # Panics
    /// If it is longer than a block, or lies outside.
    #[inline]
    pub(crate) fn with_copy<R>(&self, offset: usize, len: usize, look: impl FnOnce(&[u8]) -> R) -> R {
        assert!(len <= BLOCK, "{len} bytes are more than a block");
        let from = self.at(offset, len);
        let mut scratch = MaybeUninit::<[u8; BLOCK]>::uninit();
        // SAFETY: readable and within bounds (`at`); the scratch is ours alone and large enough.
        unsafe { racing::copy(from, scratch.as_mut_ptr().cast(), len) };
        // SAFETY: the first `len` bytes have been written, and live as long as the scratch.
        look(unsafe { std::slice::from_raw_parts(scratch.as_ptr().cast(), len) })
    }

    /// Shows so many lines that follow each other, each read once into registers.
    ///
    /// # Panics
    /// If they lie outside, or are not aligned to 16 bytes.
    #[inline]
    pub(crate) fn for_each_line(
        &self,
        offset: usize,
        count: usize,
        mut look: impl FnMut(usize, &[u8; racing::LINE]),
    ) {
        let from = self.at(offset, count.saturating_mul(racing::LINE));
        assert!(from.addr().is_multiple_of(16), "lines that are not aligned were to be read");
        for place in (0..count).map(|index| index * racing::LINE) {
            // SAFETY: readable and within bounds: all of them are (`at`); aligned, since the first is and a line is as
            // long as four times that.
            look(place, &unsafe { racing::line(from.wrapping_add(place)) });
        }
    }

    /// A word of it.
    ///
    /// # Panics
    /// If it lies outside, is not aligned, or the memory may not be written (an atomic can be stored to).
    #[inline]
    pub(crate) fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        let word = self.word::<AtomicU32>(offset, true);
        // SAFETY: valid for as long as `self`, aligned, readable and writable (`word`). Others access it at the same
        // time, and this process by nothing but atomics and the copies of `racing`, whose accesses count as atomic.
        unsafe { AtomicU32::from_ptr(word.cast()) }
    }

    /// A word of it, as [`atomic_u32`](Self::atomic_u32).
    #[inline]
    pub(crate) fn atomic_u64(&self, offset: usize) -> &AtomicU64 {
        let word = self.word::<AtomicU64>(offset, true);
        // SAFETY: as in `atomic_u32`.
        unsafe { AtomicU64::from_ptr(word.cast()) }
    }

    /// Loads a word of memory that may be read-only: with relaxed or acquire ordering, as that allows.
    ///
    /// # Panics
    /// If it lies outside or is not aligned.
    #[inline]
    pub(crate) fn load_u32(&self, offset: usize, ordering: std::sync::atomic::Ordering) -> u32 {
        let word = self.word::<AtomicU32>(offset, false);
        // SAFETY: as in `atomic_u32`; it is only loaded, which read-only memory supports (`std::sync::atomic`, "Atomic
        // accesses to read-only memory").
        unsafe { AtomicU32::from_ptr(word.cast()) }.load(ordering)
    }

    /// As [`load_u32`](Self::load_u32).
    #[inline]
    pub(crate) fn load_u64(&self, offset: usize, ordering: std::sync::atomic::Ordering) -> u64 {
        let word = self.word::<AtomicU64>(offset, false);
        // SAFETY: as in `load_u32`.
        unsafe { AtomicU64::from_ptr(word.cast()) }.load(ordering)
    }

    /// Wakes who sleeps on a word of memory that may be read-only.
    ///
    /// # Panics
    /// If it lies outside or is not aligned.
    pub(crate) fn wake(&self, offset: usize) {
        let word = self.word::<AtomicU32>(offset, false);
        // SAFETY: as in `load_u32`; the kernel is told its address, and nobody accesses it.
        futex::wake(unsafe { AtomicU32::from_ptr(word.cast()) });
    }

    /// Bytes of it as a plain slice.
    ///
    /// # Safety
    /// For as long as the slice lives nobody writes these bytes, in whatever process, nor is the mapping blanked.
    ///
    /// # Panics
    /// If they lie outside.
    #[inline]
    pub(crate) unsafe fn slice(&self, offset: usize, len: usize) -> &[u8] {
        // SAFETY: mapped, within bounds (`at`) and initialised for as long as `self`; the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts(self.at(offset, len), len) }
    }

    /// Bytes of it as a plain slice that may be written.
    ///
    /// # Safety
    /// As of [`slice`](Self::slice), and nobody reads these bytes either.
    ///
    /// # Panics
    /// If they lie outside, or the memory may not be written.
    #[inline]
    #[allow(clippy::mut_from_ref)] // the caller vouches that there is but one
    pub(crate) unsafe fn slice_mut(&self, offset: usize, len: usize) -> &mut [u8] {
        assert!(self.writable, "read-only memory was to be written");
        // SAFETY: as in `slice`; writable.
        unsafe { std::slice::from_raw_parts_mut(self.at(offset, len), len) }
    }

    /// Words of it that follow each other.
    ///
    /// # Panics
    /// As [`atomic_u32`](Self::atomic_u32).
    pub(crate) fn atomics_u64(&self, offset: usize, count: usize) -> &[AtomicU64] {
        let first = self.word::<AtomicU64>(offset, true);
        self.at(offset, count.saturating_mul(size_of::<AtomicU64>()));
        // SAFETY:
        // - valid: all of them are within bounds (`at`), readable and writable (`word`), and mapped for as long as `self`;
        // - aligned: the first is (`word`), and each is as long as its alignment;
        // - shared writes: the elements are atomics, so that writes of others are no data race in this process.
        unsafe { std::slice::from_raw_parts(first.cast(), count) }
    }

    #[inline]
    fn word<W>(&self, offset: usize, to_write: bool) -> *mut u8 {
        assert!(offset.is_multiple_of(align_of::<W>()), "a word that is not aligned was to be accessed");
        assert!(self.writable || !to_write, "read-only memory was to be written");
        self.at(offset, size_of::<W>())
    }

    #[inline]
    fn at(&self, offset: usize, len: usize) -> *mut u8 {
        if offset.checked_add(len).is_none_or(|end| end > self.len) {
            outside(offset, len, self.len);
        }
        self.start.as_ptr().wrapping_add(offset)
    }
}

/// Apart from `at`, so that every access need not lay out what this says.
#[cold]
fn outside(offset: usize, len: usize, all: usize) -> ! {
    panic!("{len} bytes at {offset} of {all} bytes");
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.place.is_none() {
            // SAFETY: the mapping is ours alone, and nobody has a reference to it: they are bound to `self`.
            let unmapped = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.len) };
            debug_assert!(unmapped.is_ok(), "what was mapped can be unmapped");
        }
    }
}

/// Memory whose content nobody can change any more, and which is therefore lent as what it is.
#[derive(Debug)]
pub(crate) struct Immutable(Memory);

impl Immutable {
    /// Maps all of a file that is sealed against all writing; `len` is at most the size of the file.
    ///
    /// # Errors
    /// [`Error::NoDataspace`]: it is not sealed so.
    pub(crate) fn map(file: impl AsFd, len: usize) -> Result<Immutable, Error> {
        let file = file.as_fd();
        let facts = super::file::examine(file)?.whole()?;
        if !facts.immutable || len > facts.size {
            return Err(Error::NoDataspace("it is not sealed against all writing"));
        }
        Memory::map(file, 0, len, false).map(Immutable)
    }

    /// Its first bytes.
    ///
    /// # Panics
    /// If there are less.
    pub(crate) fn bytes(&self, len: usize) -> &[u8] {
        // SAFETY: nobody writes them: `F_SEAL_WRITE` was set when it was mapped, cannot be taken back (`F_SEAL_SEAL`), is granted
        // only when no writable mapping is left, and forbids every kind of writing and of punching holes from then on
        // (fcntl(2)). Nor is it blanked: this is the only place that has it.
        unsafe { self.0.slice(0, len) }
    }
}

fn protection(writable: bool) -> ProtFlags {
    if writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ }
}
