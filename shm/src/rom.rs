//! Memory that nobody can change any more.

use crate::capability::{Attributes, DataspaceCapability};
use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::lingering::Lingering;
use crate::quota::{RamAccount, RamQuota, Reservation};
use crate::sys::file;
use crate::sys::memory::Immutable;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, SealFlags};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How much of a file is copied at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// A dataspace whose content is fixed for ever: sealed against everybody, its maker too. So it is the one kind of shared memory
/// that can be lent as a slice. It cannot be taken back either.
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
/// use std::io::Write;
///
/// let mut file = tempfile::tempfile().unwrap();
/// file.write_all(b"a picture").unwrap();
/// let allocator = RamAllocator::new(&RamAccount::new(RamQuota::mib(1)));
/// let rom = allocator.rom(&file, 1000)?;
/// assert_eq!(rom.bytes(), b"a picture");
/// // Elsewhere: by copies as of any dataspace, or as the slice that it is.
/// assert_eq!(rom.capability().attach(Window::WHOLE)?.read::<u8>(2)?, b'p');
/// assert_eq!(rom.capability().import_rom(1000)?.bytes(), b"a picture");
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Debug)]
pub struct Rom {
    file: Descriptor,
    memory: Immutable,
    size: usize,
    /// Whether others may have it.
    shared: AtomicBool,
    /// There if we made it, until it is freed.
    reservation: Option<Reservation>,
}

impl Rom {
    /// Takes a memory file as it is: sealed against all writing and every change of its size. All of it is the content.
    ///
    /// # Errors
    /// [`Error::NoDataspace`]: it is not sealed so, or is not sealed memory at all (see
    /// [`RamAllocator::rom`](crate::RamAllocator::rom), which copies any file); [`Error::TooLarge`], [`Error::System`].
    pub fn sealed(file: OwnedFd, limit: usize) -> Result<Rom, Error> {
        let size = file::examine(&file)?.whole()?.size;
        Rom::take(Descriptor::new(Arc::new(file)), size, limit)
    }

    /// What somebody else says is one.
    pub(crate) fn import(file: Descriptor, attributes: Attributes, limit: usize) -> Result<Rom, Error> {
        let size = usize::try_from(attributes.size());
        Rom::take(
            file,
            size.map_err(|_| Error::NoDataspace("it does not have the size that was said"))?,
            limit,
        )
    }

    pub(crate) fn copy(account: &RamAccount, from: BorrowedFd<'_>, limit: usize) -> Result<Rom, Error> {
        let stat = rustix::fs::fstat(from).map_err(Error::system("fstat"))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::NoFile);
        }
        let size = usize::try_from(stat.st_size).map_err(|_| Error::NoFile)?;
        if size > limit {
            return Err(Error::TooLarge { size, limit });
        }
        let pages = file::whole_pages(size)?;
        let reservation = account.reserve(RamQuota::bytes(pages as u64))?;
        let to = file::create(pages)?;
        copy_content(from, &to, size)?;
        file::seal(&to, file::SEALED | SealFlags::WRITE)?;
        let mut rom = Rom::take(Descriptor::new(Arc::new(to)), size, limit)?;
        rom.reservation = Some(reservation);
        Ok(rom)
    }

    fn take(file: Descriptor, size: usize, limit: usize) -> Result<Rom, Error> {
        if size > limit {
            return Err(Error::TooLarge { size, limit });
        }
        let memory = Immutable::map(&file, size)?;
        Ok(Rom { file, memory, size, shared: AtomicBool::new(false), reservation: None })
    }

    /// The size, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.memory.bytes(self.size)
    }

    /// The right to attach it, to be handed to others.
    #[must_use]
    pub fn capability(&self) -> DataspaceCapability {
        self.shared.store(true, Ordering::Relaxed);
        DataspaceCapability::new(self.file.clone(), Attributes::new(self.size, false))
    }

    /// Lets go of it. What others have of it they keep, and it stays on the account for as long as what is answered.
    ///
    /// A rom that is dropped and was handed to others stays on its account for good.
    pub fn free(mut self) -> Option<Lingering> {
        let reservation = self.reservation.take()?;
        self.shared.load(Ordering::Relaxed).then(|| Lingering::new(reservation))
    }
}

impl Drop for Rom {
    fn drop(&mut self) {
        let shared = self.shared.load(Ordering::Relaxed);
        if let Some(reservation) = self.reservation.take().filter(|_| shared) {
            Lingering::new(reservation).for_good();
        }
    }
}

fn copy_content(from: BorrowedFd<'_>, to: &OwnedFd, size: usize) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK.min(size)];
    let mut done = 0;
    while done < size {
        let wanted = CHUNK.min(size - done);
        let read = match rustix::io::pread(from, &mut chunk[..wanted], done as u64) {
            Err(rustix::io::Errno::INTR) => continue,
            read => read.map_err(Error::system("pread"))?,
        };
        if read == 0 {
            return Err(Error::Changing);
        }
        write_all(to, &chunk[..read], done)?;
        done += read;
    }
    // One byte more than it had would mean that it grew.
    match rustix::io::pread(from, &mut [0; 1], size as u64).map_err(Error::system("pread"))? {
        0 => Ok(()),
        _ => Err(Error::Changing),
    }
}

fn write_all(to: impl AsFd, mut bytes: &[u8], mut offset: usize) -> Result<(), Error> {
    while !bytes.is_empty() {
        let written = rustix::io::pwrite(&to, bytes, offset as u64).map_err(Error::system("pwrite"))?;
        bytes = &bytes[written..];
        offset += written;
    }
    Ok(())
}
