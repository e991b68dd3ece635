//! What is freed and not gone yet.

use crate::quota::{RamQuota, Reservation};

/// Memory that its owner has freed and that the system keeps, since others still have it: what can but be read is sealed
/// against everybody, so that nobody can take its pages away. Its account pays until this is dropped.
///
/// Nothing tells a process who else has a file. Who knows that the holders are gone, since they have ended or were killed,
/// drops this.
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota};
///
/// let account = RamAccount::new(RamQuota::mib(1));
/// let dataspace = RamAllocator::new(&account).alloc_published(4096)?;
/// let elsewhere = dataspace.capability();
/// let lingering = dataspace.free().expect("somebody may have it");
/// assert_eq!(account.used(), lingering.amount());
/// // ... the process that had it has ended:
/// drop((elsewhere, lingering));
/// assert_eq!(account.used(), RamQuota::bytes(0));
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "what lingers is given back to its account as soon as this is dropped"]
pub struct Lingering(Reservation);

impl Lingering {
    pub(crate) fn new(reservation: Reservation) -> Lingering {
        Lingering(reservation)
    }

    /// How much of the account it is.
    #[must_use]
    pub fn amount(&self) -> RamQuota {
        self.0.amount()
    }

    /// Leaves it on the account, since nobody will say when its holders are gone.
    pub(crate) fn for_good(self) {
        self.0.forever();
    }
}
