//! Addresses that are set aside, to be filled with mappings.
#![allow(unsafe_code)]

use crate::error::Error;
use crate::ranges::Ranges;
use rustix::mm::{MapFlags, ProtFlags};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A range of addresses at which nothing can be accessed, until a mapping is put there.
#[derive(Debug)]
pub(crate) struct Addresses {
    start: NonNull<u8>,
    len: usize,
    taken: Mutex<Ranges>,
    /// A part of a larger range is given back to that; else it is unmapped.
    within: Option<Place>,
}

/// A part of such a range that nobody else has, until it is dropped. Nothing can be accessed there but by whoever has it.
#[derive(Debug)]
pub(crate) struct Place {
    addresses: Arc<Addresses>,
    start: usize,
    len: usize,
}

// SAFETY: the addresses belong to the process and not to a thread, and are given up only by `drop`.
unsafe impl Send for Addresses {}
// SAFETY: a shared reference only hands out parts, under a lock.
unsafe impl Sync for Addresses {}

impl Addresses {
    /// Sets addresses aside; `len` is whole pages.
    pub(crate) fn reserve(len: usize) -> Result<Arc<Addresses>, Error> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a mapping at a place that the kernel chooses changes no other memory of this process.
        let start =
            unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::empty(), flags) };
        let start =
            NonNull::new(start.map_err(Error::system("mmap"))?.cast()).ok_or(Error::NoRoom { len })?;
        Ok(Arc::new(Addresses { start, len, taken: Mutex::new(Ranges::new(len)), within: None }))
    }

    /// The same for a part of a range.
    pub(crate) fn within(place: Place) -> Arc<Addresses> {
        let (start, len) = (place.address(), place.len);
        Arc::new(Addresses { start, len, taken: Mutex::new(Ranges::new(len)), within: Some(place) })
    }

    /// The first of the addresses.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes the part that begins at `start`, or any that is free.
    pub(crate) fn take(self: &Arc<Self>, start: Option<usize>, len: usize) -> Result<Place, Error> {
        let start = match start {
            Some(start) => self.taken().take(start, len).map(|()| start),
            None => self.taken().take_any(len),
        }?;
        Ok(Place { addresses: self.clone(), start, len })
    }

    fn taken(&self) -> MutexGuard<'_, Ranges> {
        // No step under the lock leaves it half changed.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The first of its addresses.
    pub(crate) fn address(&self) -> NonNull<u8> {
        let address = self.addresses.start.as_ptr().wrapping_add(self.start);
        NonNull::new(address).unwrap_or(self.addresses.start)
    }

    /// Where it begins within its range.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// How many addresses it has.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let flags = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
        let start = self.address().as_ptr().cast();
        // SAFETY: the addresses are ours alone until the next lines give them back, and whoever had them of us is gone.
        let emptied = unsafe { rustix::mm::mmap_anonymous(start, self.len, ProtFlags::empty(), flags) };
        // Where the kernel has no memory for its books, something stays there: the place is never given to anybody again.
        if emptied.is_ok() {
            self.addresses.taken().give_back(self.start);
        }
    }
}

impl Drop for Addresses {
    fn drop(&mut self) {
        if self.within.is_none() {
            // SAFETY: the addresses are ours alone: every part that was given to somebody holds a reference to `self`.
            let unmapped = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.len) };
            debug_assert!(unmapped.is_ok(), "what was set aside can be given up");
        }
    }
}
