//! Where dataspaces come from.

use crate::dataspace::Dataspace;
use crate::error::Error;
use crate::quota::{RamAccount, RamQuota};
use crate::rom::Rom;
use crate::sys::file;
use std::os::fd::AsFd;

/// Makes dataspaces, and has an account pay for them.
///
/// A dataspace costs its size in whole pages, and one page more. All its pages are there when it is made: who cannot pay for them
/// learns it then. So does who has an account that is larger than the machine: what the machine does not have is
/// [`Error::OutOfMemory`], and nobody is killed for it. The same goes for what the memory group of the process may not take, as far as
/// the process can see that.
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota};
///
/// let account = RamAccount::new(RamQuota::kib(64));
/// let allocator = RamAllocator::new(&account);
/// let dataspace = allocator.alloc(10_000)?;
/// assert_eq!(account.used(), RamQuota::kib(16));
/// assert_eq!(RamAllocator::price(10_000)?, account.used());
/// drop(dataspace);
/// assert_eq!(account.used(), RamQuota::kib(0));
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RamAllocator {
    account: RamAccount,
}

impl RamAllocator {
    /// Spends what that account has: that of a protection domain, or what a client donated to its session.
    #[must_use]
    pub fn new(account: &RamAccount) -> RamAllocator {
        RamAllocator { account: account.clone() }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &RamAccount {
        &self.account
    }

    /// What a dataspace of so many bytes costs.
    ///
    /// # Errors
    /// [`Error::BadSize`].
    pub fn price(size: usize) -> Result<RamQuota, Error> {
        RamAllocator::pages(size).map(|pages| RamQuota::bytes(pages as u64))
    }

    /// A dataspace of zeros that everybody who gets it can write.
    ///
    /// # Errors
    /// [`Error::OutOfRam`], [`Error::OutOfMemory`], [`Error::BadSize`], [`Error::System`].
    pub fn alloc(&self, size: usize) -> Result<Dataspace, Error> {
        self.make(size, false)
    }

    /// A dataspace of zeros that its owner can write and others can but read.
    ///
    /// # Errors
    /// As of [`alloc`](Self::alloc).
    pub fn alloc_published(&self, size: usize) -> Result<Dataspace, Error> {
        self.make(size, true)
    }

    /// A copy of a file that nobody can change any more, neither its owner.
    ///
    /// Reads the file, from its start and without moving its position; that takes as long as its file system takes.
    ///
    /// # Errors
    /// [`Error::TooLarge`]: it has more than `limit` bytes; [`Error::NoFile`], [`Error::Changing`]; as of
    /// [`alloc`](Self::alloc).
    pub fn rom(&self, file: impl AsFd, limit: usize) -> Result<Rom, Error> {
        Rom::copy(&self.account, file.as_fd(), limit)
    }

    fn make(&self, size: usize, published: bool) -> Result<Dataspace, Error> {
        let pages = RamAllocator::pages(size)?;
        let reservation = self.account.reserve(RamQuota::bytes(pages as u64))?;
        Dataspace::create(size, pages, published, reservation)
    }

    /// The content, in whole pages, and the page behind it, in bytes.
    fn pages(size: usize) -> Result<usize, Error> {
        file::whole_pages(size)?
            .checked_add(file::page())
            .filter(|pages| isize::try_from(*pages).is_ok())
            .ok_or(Error::BadSize { size })
    }
}
