//! Memory that is shared with another side, which may change its words at any time.
#![allow(unsafe_code)]

use super::known;
use crate::error::Error;
use crate::wire::layout::CHANNEL_WORDS;
use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, StatxFlags};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A mapping of `N` atomic words; clones share it. Nothing of it is ever lent as plain memory. How many there are the
/// compiler knows, so that most are reached without a check.
#[derive(Clone, Debug)]
pub(crate) struct Words<const N: usize = CHANNEL_WORDS>(Arc<MmapRaw>);

impl<const N: usize> Words<N> {
    const BYTES: usize = N * size_of::<AtomicU64>();

    /// Memory for a channel within one process.
    pub(crate) fn private() -> Result<Self, Error> {
        let map = MmapOptions::new().len(Self::BYTES).map_anon().map_err(map_failed)?;
        Ok(Words(Arc::new(MmapRaw::from(map))))
    }

    /// Memory for a channel across processes, and the sealed file behind it.
    pub(crate) fn shared() -> Result<(Self, OwnedFd), Error> {
        Words::sealed("portcullis-channel", REQUIRED_SEALS)
    }

    /// Memory that we alone write, and the sealed file behind it, through which others can but read.
    pub(crate) fn published() -> Result<(Self, OwnedFd), Error> {
        Words::sealed("portcullis-page", PUBLISHED_SEALS)
    }

    fn sealed(name: &str, seals: SealFlags) -> Result<(Self, OwnedFd), Error> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::NOEXEC_SEAL;
        let file = rustix::fs::memfd_create(name, flags).map_err(Error::system("memfd_create"))?;
        // Pages first, so that a full tmpfs is an error here and not a SIGBUS later, and so that we pay for them.
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, Self::BYTES as u64)
            .map_err(Error::system("fallocate"))?;
        // Mapped before it is sealed: a seal against writing lets be what is mapped already.
        let map = MmapOptions::new().len(Self::BYTES).map_raw(&file).map_err(map_failed)?;
        rustix::fs::fcntl_add_seals(&file, seals).map_err(Error::system("fcntl(F_ADD_SEALS)"))?;
        Ok((Words(Arc::new(map)), file))
    }

    /// Maps memory that a peer made, if it is what it should be: on tmpfs, of exactly this size, all of it
    /// backed by pages, and sealed so that it can neither shrink (SIGBUS) nor grow nor lose its seals.
    pub(crate) fn foreign(file: BorrowedFd<'_>) -> Result<Self, Error> {
        check(file, Self::BYTES, REQUIRED_SEALS)?;
        let map = MmapOptions::new().len(Self::BYTES).map_raw(&file).map_err(map_failed)?;
        Ok(Words(Arc::new(map)))
    }

    /// A part of so many words, which are reached without further checks.
    ///
    /// # Panics
    /// If it lies outside.
    #[inline]
    pub(crate) fn part<const LENGTH: usize>(&self, start: usize) -> &[AtomicU64; LENGTH] {
        self[start..].first_chunk().expect("the part lies within the mapping")
    }
}

/// Words that another side writes and we only read.
#[derive(Debug)]
pub(crate) struct ReadOnlyWords(MmapRaw);

impl ReadOnlyWords {
    /// Whether a peer's file is such memory as [`foreign`](Self::foreign) maps.
    pub(crate) fn check(file: BorrowedFd<'_>, bytes: usize) -> Result<(), Error> {
        check(file, bytes, PUBLISHED_SEALS)
    }

    /// Maps memory that a peer [published](Words::published), checked as [`Words::foreign`] does; sealed against later
    /// writers, too, so that its pages stay there.
    pub(crate) fn foreign(file: BorrowedFd<'_>, bytes: usize) -> Result<ReadOnlyWords, Error> {
        check(file, bytes, PUBLISHED_SEALS)?;
        MmapOptions::new().len(bytes).map_raw_read_only(&file).map(ReadOnlyWords).map_err(map_failed)
    }

    /// Loads a word: with relaxed or acquire ordering, as read-only memory allows.
    ///
    /// # Panics
    /// If there is no such word.
    pub(crate) fn load(&self, index: usize, ordering: Ordering) -> u64 {
        assert!(index < self.0.len() / size_of::<AtomicU64>(), "word {index} lies outside of the mapping");
        let word = self.0.as_mut_ptr().cast::<u64>().wrapping_add(index);
        // SAFETY:
        // - valid: the word lies within the mapping, which is readable and lives as long as `self`; its file cannot
        //   shrink under it (`F_SEAL_SHRINK` is checked before a file is mapped);
        // - aligned: a mapping starts on a page;
        // - never written through: all that is done with it is this load of 8 bytes, which read-only memory
        //   supports (`std::sync::atomic`, "Atomic accesses to read-only memory"); a peer's writes are atomic to us.
        unsafe { AtomicU64::from_ptr(word) }.load(ordering)
    }
}

/// Whether a peer's file is such memory as we map.
fn check(file: BorrowedFd<'_>, bytes: usize, seals: SealFlags) -> Result<(), Error> {
    let fail = |_| Error::Violation("the shared memory is no memory file");
    // First: it asks no file system, which could be one of the peer's own and never answer.
    let sealed = rustix::fs::fcntl_get_seals(file).map_err(fail)?;
    if !sealed.contains(seals) {
        return Err(Error::Violation("the shared memory is not sealed as it must be"));
    }
    let system = rustix::fs::fstatfs(file).map_err(fail)?;
    // A hugetlb file takes seals too, and raises SIGBUS when its pool runs dry: only the type tells.
    if system.f_type != TMPFS_MAGIC {
        return Err(Error::Violation("the shared memory is not on tmpfs"));
    }
    let stat = known::stat(file, StatxFlags::SIZE | StatxFlags::BLOCKS).map_err(fail)?;
    if stat.stx_size != bytes as u64 {
        return Err(Error::Violation("the shared memory has a wrong size"));
    }
    if stat.stx_blocks.saturating_mul(512) < stat.stx_size {
        return Err(Error::Violation("the shared memory is sparse"));
    }
    Ok(())
}

impl<const N: usize> std::ops::Deref for Words<N> {
    type Target = [AtomicU64; N];

    #[inline]
    fn deref(&self) -> &[AtomicU64; N] {
        let words = self.0.as_ptr().cast::<[AtomicU64; N]>();
        // SAFETY:
        // - valid: every constructor maps `BYTES`, which is `N` words, readable and writable, and the mapping lives as
        //   long as `self`; its file cannot shrink under it (`F_SEAL_SHRINK` is checked before a file is mapped);
        // - aligned: a mapping starts on a page;
        // - shared writes: the elements are atomics, so that writes of a peer are never a data race in this process.
        unsafe { &*words }
    }
}

const REQUIRED_SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);
const PUBLISHED_SEALS: SealFlags = REQUIRED_SEALS.union(SealFlags::FUTURE_WRITE);

/// The type of tmpfs in `statfs(2)`.
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

#[allow(clippy::needless_pass_by_value)] // the shape that `map_err` wants
fn map_failed(error: std::io::Error) -> Error {
    let reason = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::INVAL);
    Error::System { call: "mmap", reason }
}
