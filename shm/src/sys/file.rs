//! Memory files: how ours are made, and what a stranger's must be.

use super::machine;
use super::memory::Memory;
use crate::error::Error;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FallocateFlags, MemfdFlags, OFlags, SealFlags};
use rustix::io::Errno;

/// What every dataspace is sealed with: its size never changes, so that no access to it raises SIGBUS, and nobody adds
/// or removes a seal.
pub(crate) const SEALED: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// What keeps new writers away.
pub(crate) const WRITE_SEALS: SealFlags = SealFlags::WRITE.union(SealFlags::FUTURE_WRITE);

/// The type of tmpfs in `statfs(2)`.
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

/// Whole pages that hold so many bytes.
pub(crate) fn whole_pages(bytes: usize) -> Result<usize, Error> {
    bytes.checked_next_multiple_of(page()).filter(|_| bytes > 0).ok_or(Error::BadSize { size: bytes })
}

/// The size of a page, in bytes.
pub(crate) fn page() -> usize {
    rustix::param::page_size()
}

/// A new memory file that nothing has sealed yet, all its pages there.
pub(crate) fn create(bytes: usize) -> Result<OwnedFd, Error> {
    let file = create_empty()?;
    // Pages first, so that a full tmpfs is an error here and not a SIGBUS later, and so that it is we who pay for them.
    for offset in (0..bytes).step_by(machine::STEP) {
        machine::afford(bytes - offset)?;
        let step = machine::STEP.min(bytes - offset);
        rustix::fs::fallocate(&file, FallocateFlags::empty(), offset as u64, step as u64)
            .map_err(Error::system("fallocate"))?;
    }
    Ok(file)
}

/// A new memory file without content, which can never be executed where the kernel knows how to say so (since Linux 6.3).
pub(crate) fn create_empty() -> Result<OwnedFd, Error> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let create = |flags| rustix::fs::memfd_create("portcullis-dataspace", flags);
    match create(flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => create(flags),
        made => made,
    }
    .map_err(Error::system("memfd_create"))
}

/// Adds seals.
pub(crate) fn seal(file: &OwnedFd, seals: SealFlags) -> Result<(), Error> {
    rustix::fs::fcntl_add_seals(file, seals).map_err(Error::system("fcntl(F_ADD_SEALS)"))
}

/// Takes the pages out of a file; who still has it reads zeros. Refused under a seal against writing.
pub(crate) fn punch(file: impl AsFd, bytes: usize) -> Result<(), Error> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    rustix::fs::fallocate(file, flags, 0, bytes as u64).map_err(Error::system("fallocate(PUNCH_HOLE)"))
}

/// What there is to know of a file that somebody else made.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) size: usize,
    /// Whether pages are missing, for which whoever accesses them first would pay.
    has_holes: bool,
    /// Whether it can be mapped to be written.
    pub(crate) writable: bool,
    /// Whether nobody can write it any more, by whatever means.
    pub(crate) immutable: bool,
}

/// Looks at a file that somebody else made, and refuses what is no sealed memory.
pub(crate) fn examine(file: impl AsFd) -> Result<Facts, Error> {
    let file = file.as_fd();
    // First: it asks no file system, which could be one of the maker's own and never answer.
    let seals = rustix::fs::fcntl_get_seals(file).map_err(|_| Error::NoDataspace("it is no memory file"))?;
    if !seals.contains(SEALED) {
        return Err(Error::NoDataspace("it is not sealed against a change of its size and of its seals"));
    }
    let system = rustix::fs::fstatfs(file).map_err(Error::system("fstatfs"))?;
    // A hugetlb file takes seals too, and raises SIGBUS when its pool runs dry: only the type tells.
    if system.f_type != TMPFS_MAGIC {
        return Err(Error::NoDataspace("it is not on tmpfs"));
    }
    let stat = rustix::fs::fstat(file).map_err(Error::system("fstat"))?;
    let size = usize::try_from(stat.st_size).map_err(|_| Error::NoDataspace("it has an impossible size"))?;
    let backed = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
    let mode = rustix::fs::fcntl_getfl(file).map_err(Error::system("fcntl(F_GETFL)"))?;
    if (mode & OFlags::ACCMODE) == OFlags::WRONLY {
        return Err(Error::NoDataspace("it was opened only to be written"));
    }
    let writable = (mode & OFlags::ACCMODE) == OFlags::RDWR && !seals.intersects(WRITE_SEALS);
    Ok(Facts { size, has_holes: backed < size as u64, writable, immutable: seals.contains(SealFlags::WRITE) })
}

impl Facts {
    /// Refuses memory whose pages are not all there.
    pub(crate) fn whole(self) -> Result<Facts, Error> {
        if self.has_holes {
            return Err(Error::NoDataspace("it has holes: its maker did not pay for its pages"));
        }
        Ok(self)
    }
}

/// A word of a file, in the byte order of the machine; without bringing back a page that is missing.
pub(crate) fn read_word(file: impl AsFd, offset: usize) -> Result<u64, Error> {
    let mut word = [0; 8];
    match rustix::io::pread(file, &mut word, offset as u64).map_err(Error::system("pread"))? {
        8 => Ok(u64::from_ne_bytes(word)),
        _ => Err(Error::NoDataspace("it ends too early")),
    }
}

/// A file, mapped whole, to be written.
pub(crate) fn map_whole(file: &OwnedFd, bytes: usize) -> Result<Memory, Error> {
    Memory::map(file, 0, bytes, true)
}
