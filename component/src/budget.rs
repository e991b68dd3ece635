//! What a server may spend for one session.

use crate::quota::{CapQuota, Quota};
use portcullis_shm::RamAccount;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a server may spend for one session: what its client donated. Clones are the same budget.
///
/// ```
/// use portcullis_component::{Budget, Quota};
/// use portcullis_shm::RamQuota;
///
/// let budget = Budget::new(Quota::new(4096, 2));
/// let kept = budget.ram().reserve(RamQuota::kib(3))?;
/// assert!(budget.ram().reserve(RamQuota::kib(2)).is_err(), "the client donated no more");
/// drop(kept);
/// assert_eq!(budget.caps().count(), 2);
/// # Ok::<_, portcullis_shm::Error>(())
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
