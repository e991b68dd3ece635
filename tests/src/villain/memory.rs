//! A channel's memory as a villain sees it: words to be written at any time, in any order.
#![allow(unsafe_code)]

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::thread::futex;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// A mapping of a channel's memory; clones share it.
#[derive(Clone, Debug)]
pub struct Memory(Arc<MmapRaw>);

impl Memory {
    /// Memory as an honest client makes it, and its file.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(bytes: usize) -> io::Result<(Memory, OwnedFd)> {
        let file = sealed_file(bytes)?;
        Ok((Memory::map(&file, bytes)?, file))
    }

    /// Maps a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn map(file: &OwnedFd, bytes: usize) -> io::Result<Memory> {
        Ok(Memory(Arc::new(MmapOptions::new().len(bytes).map_raw(file)?)))
    }

    /// All words of it.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY:
        // - valid: the mapping is readable and writable, `len` bytes long and lives as long as `self`; its file is
        //   sealed against shrinking by whoever made it;
        // - aligned: a mapping starts on a page;
        // - races: the elements are atomics, so that writes of the other process are no data race in this one.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() / 8) }
    }

    /// Reads a word.
    #[must_use]
    pub fn load(&self, word: usize) -> u64 {
        self.words()[word].load(Ordering::SeqCst)
    }

    /// Writes a word.
    pub fn store(&self, word: usize, value: u64) {
        self.words()[word].store(value, Ordering::SeqCst);
    }

    /// Sets bits of a word; answers what it was.
    pub fn set(&self, word: usize, bits: u64) -> u64 {
        self.words()[word].fetch_or(bits, Ordering::SeqCst)
    }

    /// Writes a word, unless somebody else did since it was seen.
    pub fn replace(&self, word: usize, seen: u64, value: u64) {
        let _ = self.words()[word].compare_exchange(seen, value, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Clears bits of a word.
    pub fn clear(&self, word: usize, bits: u64) {
        self.words()[word].fetch_and(!bits, Ordering::SeqCst);
    }

    /// Sleeps while the low half of the word is `seen`, for at most `time`.
    pub fn sleep(&self, word: usize, seen: u64, time: Duration) {
        let time = rustix::fs::Timespec {
            tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        };
        let _ = futex::wait(self.low_half(word), futex::Flags::empty(), seen as u32, Some(&time));
    }

    /// Wakes everybody who sleeps on the word.
    pub fn wake(&self, word: usize) {
        let _ = futex::wake(self.low_half(word), futex::Flags::empty(), i32::MAX as u32);
    }

    fn low_half(&self, word: usize) -> &AtomicU32 {
        let word = &self.words()[word];
        // SAFETY: valid and aligned, since it is the start of a live aligned word (little endian); only the kernel
        // reads by the reference, so there is no access of mixed size in this program; the lifetime is that of `self`.
        unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
    }
}

/// A memory file as an honest client makes it: every page there, sealed against a change of size.
///
/// # Errors
/// What the system says.
pub fn sealed_file(bytes: usize) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("villain", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes as u64)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

/// A file as an entrypoint's page is: nobody can map it to write any more.
///
/// # Errors
/// What the system says.
pub fn page_file(bytes: usize) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("villain", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes as u64)?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file)
}

/// The descriptor that this process was born with. To be called once, at the start of a villain's `main`.
#[must_use]
pub fn birth_socket() -> OwnedFd {
    // SAFETY: whoever starts a villain gives it descriptor 3, and nothing else in the program knows that number.
    unsafe { OwnedFd::from_raw_fd(3) }
}
