//! What a server may spend for one session.

use crate::error::Error;
use crate::quota::{CapQuota, Quota};
use portcullis_shm::{Buffer, Dataspace, RamAccount, RamAllocator, RamQuota, Reservation};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a server may spend for one session: what its client donated. Clones are the same budget.
///
/// ```
/// use portcullis_component::{Budget, Error, Quota};
/// use portcullis_shm::RamQuota;
///
/// let budget = Budget::new(Quota::new(12_288, 2));
/// let kept = budget.reserve(RamQuota::kib(4))?;
/// // Two pages, and a third with the owner's word: the client donated one too few, and is told so.
/// assert_eq!(budget.alloc(8192).err(), Some(Error::InsufficientRamQuota { missing: RamQuota::kib(4) }));
/// drop(kept);
/// let dataspace = budget.alloc(8192)?;
/// assert_eq!(budget.ram().available(), RamQuota::bytes(0));
/// drop(dataspace);
/// assert_eq!(budget.ram().available(), RamQuota::kib(12));
/// # Ok::<_, Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    ram: RamAccount,
    caps: Arc<AtomicU64>,
}

impl Budget {
    /// A budget of so much.
    #[must_use]
    pub fn new(quota: Quota) -> Budget {
        Budget { ram: RamAccount::new(quota.ram), caps: Arc::new(AtomicU64::new(quota.caps.count())) }
    }

    /// The account for memory: reserve from it what the session takes.
    #[must_use]
    pub fn ram(&self) -> &RamAccount {
        &self.ram
    }

    /// Sets an amount aside, until the reservation is dropped.
    ///
    /// # Errors
    /// [`Error::InsufficientRamQuota`]: the donation has not as much left, and lacks so much.
    pub fn reserve(&self, amount: RamQuota) -> Result<Reservation, Error> {
        self.ram.reserve(amount).map_err(Error::on_donation)
    }

    /// Whether so much is left, for who spends it in several steps and is to learn at once what they lack together.
    ///
    /// # Errors
    /// As of [`reserve`](Self::reserve).
    pub fn require(&self, amount: RamQuota) -> Result<(), Error> {
        self.reserve(amount).map(drop)
    }

    /// A dataspace of zeros, which the server owns and the client can write when it has the capability.
    ///
    /// # Errors
    /// As of [`reserve`](Self::reserve); [`Error::Memory`].
    pub fn alloc(&self, size: usize) -> Result<Dataspace, Error> {
        self.allocator().alloc(size).map_err(Error::on_donation)
    }

    /// A dataspace of zeros, which the server can write and the client can but read.
    ///
    /// # Errors
    /// As of [`alloc`](Self::alloc).
    pub fn alloc_published(&self, size: usize) -> Result<Dataspace, Error> {
        self.allocator().alloc_published(size).map_err(Error::on_donation)
    }

    /// A buffer that the server and its client fill and empty in turn.
    ///
    /// # Errors
    /// As of [`alloc`](Self::alloc).
    pub fn buffer(&self, size: usize) -> Result<Buffer, Error> {
        Buffer::new(&self.allocator(), size).map_err(Error::on_donation)
    }

    /// Makes dataspaces that the donation pays for.
    #[must_use]
    pub fn allocator(&self) -> RamAllocator {
        RamAllocator::new(&self.ram)
    }

    /// How many capabilities were donated in all.
    #[must_use]
    pub fn caps(&self) -> CapQuota {
        CapQuota::new(self.caps.load(Ordering::Relaxed))
    }

    /// It is so much more from now on. Answers whether it could be added.
    pub(crate) fn raise(&self, quota: Quota) -> bool {
        let added = RamAccount::new(quota.ram).transfer(&self.ram, quota.ram).is_ok();
        if added {
            self.caps.fetch_add(quota.caps.count(), Ordering::Relaxed);
        }
        added
    }
}
