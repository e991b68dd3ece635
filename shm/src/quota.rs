//! Whose memory it is: amounts, accounts, and what is reserved of them.

use crate::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// An amount of memory, in bytes: what an account has, gives or is asked for.
///
/// ```
/// use portcullis_shm::RamQuota;
///
/// assert_eq!(RamQuota::kib(4), RamQuota::bytes(4096));
/// assert_eq!(RamQuota::mib(1).to_string(), "1048576 bytes");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RamQuota(u64);

impl RamQuota {
    /// So many bytes.
    #[must_use]
    pub const fn bytes(bytes: u64) -> RamQuota {
        RamQuota(bytes)
    }

    /// So many times 1,024 bytes; at most what there is of numbers.
    #[must_use]
    pub const fn kib(kib: u64) -> RamQuota {
        RamQuota(kib.saturating_mul(1024))
    }

    /// So many times 1,048,576 bytes; at most what there is of numbers.
    #[must_use]
    pub const fn mib(mib: u64) -> RamQuota {
        RamQuota::kib(mib.saturating_mul(1024))
    }

    /// The amount in bytes.
    #[must_use]
    pub const fn in_bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RamQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

/// A budget of memory. Clones are the same account.
///
/// ```
/// use portcullis_shm::{RamAccount, RamQuota};
///
/// let account = RamAccount::new(RamQuota::kib(64));
/// let reserved = account.reserve(RamQuota::kib(60))?;
/// assert!(account.reserve(RamQuota::kib(8)).is_err());
/// drop(reserved);
/// assert_eq!(account.available(), RamQuota::kib(64));
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RamAccount(Arc<Mutex<Balance>>);

#[derive(Clone, Copy, Debug)]
struct Balance {
    limit: u64,
    used: u64,
}

impl Balance {
    fn available(self) -> u64 {
        self.limit - self.used
    }
}

impl RamAccount {
    /// An account with so much to spend.
    #[must_use]
    pub fn new(limit: RamQuota) -> RamAccount {
        RamAccount(Arc::new(Mutex::new(Balance { limit: limit.0, used: 0 })))
    }

    /// What it may spend in all.
    #[must_use]
    pub fn limit(&self) -> RamQuota {
        RamQuota(self.balance(|balance| balance.limit))
    }

    /// What is reserved now.
    #[must_use]
    pub fn used(&self) -> RamQuota {
        RamQuota(self.balance(|balance| balance.used))
    }

    /// What can still be reserved.
    #[must_use]
    pub fn available(&self) -> RamQuota {
        RamQuota(self.balance(|balance| balance.available()))
    }

    /// Sets an amount aside, until the reservation is dropped.
    ///
    /// # Errors
    /// [`Error::OutOfRam`]: there is not as much left; nothing is reserved.
    pub fn reserve(&self, amount: RamQuota) -> Result<Reservation, Error> {
        self.balance(|balance| {
            let available = balance.available();
            if amount.0 > available {
                return Err(Error::OutOfRam { asked: amount, available: RamQuota(available) });
            }
            balance.used += amount.0;
            Ok(())
        })?;
        Ok(Reservation { account: self.clone(), amount })
    }

    /// Moves an amount from this account to another: a donation, or what is left of one on its way back.
    ///
    /// # Errors
    /// [`Error::OutOfRam`]: there is not as much left here; nothing is moved. [`Error::BadSize`]: the other cannot hold as
    /// much.
    pub fn transfer(&self, to: &RamAccount, amount: RamQuota) -> Result<(), Error> {
        // Taken first, so that there is never more in both together than there was.
        let mut moved = self.reserve(amount)?;
        to.balance(|balance| {
            let limit = balance.limit.checked_add(amount.0);
            balance.limit = limit.ok_or(Error::BadSize { size: usize::MAX })?;
            Ok(())
        })?;
        moved.amount = RamQuota::default();
        self.balance(|balance| {
            balance.used -= amount.0;
            balance.limit -= amount.0;
        });
        Ok(())
    }

    fn balance<R>(&self, look: impl FnOnce(&mut Balance) -> R) -> R {
        // No code of others runs under the lock, and no step of ours leaves a balance half changed.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An amount that is set aside in an account, until this is dropped.
///
/// ```
/// use portcullis_shm::{RamAccount, RamQuota};
///
/// let account = RamAccount::new(RamQuota::mib(1));
/// let reservation = account.reserve(RamQuota::kib(4))?;
/// assert_eq!(reservation.amount(), account.used());
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "what is reserved is given back as soon as this is dropped"]
pub struct Reservation {
    account: RamAccount,
    amount: RamQuota,
}

impl Reservation {
    /// How much is set aside.
    #[must_use]
    pub fn amount(&self) -> RamQuota {
        self.amount
    }

    /// Leaves it set aside for ever.
    pub(crate) fn forever(mut self) {
        self.amount = RamQuota::default();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account.balance(|balance| balance.used -= self.amount.0);
    }
}
