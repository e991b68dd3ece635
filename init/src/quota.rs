//! Budgets: how much RAM, how many capabilities.

use std::fmt;

/// How much RAM, in bytes.
///
/// ```
/// use portcullis_init::RamQuota;
///
/// assert_eq!(RamQuota::new(4 << 20).to_string(), "4M");
/// assert_eq!(RamQuota::new(1000).to_string(), "1000");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RamQuota(u64);

impl RamQuota {
    /// That many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> RamQuota {
        RamQuota(bytes)
    }

    /// How many bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Both together, if that can be counted.
    #[must_use]
    pub fn checked_add(self, other: RamQuota) -> Option<RamQuota> {
        self.0.checked_add(other.0).map(RamQuota)
    }
}

impl fmt::Display for RamQuota {
    /// In the largest unit that leaves no rest, as a composition file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "G"), (20, "M"), (10, "K")];
        match units.into_iter().find(|(bits, _)| self.0 != 0 && self.0.trailing_zeros() >= *bits) {
            Some((bits, unit)) => write!(f, "{}{unit}", self.0 >> bits),
            None => write!(f, "{}", self.0),
        }
    }
}

/// How many capabilities.
///
/// ```
/// assert_eq!(portcullis_init::CapQuota::new(100).count(), 100);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapQuota(u64);

impl CapQuota {
    /// That many.
    #[must_use]
    pub const fn new(count: u64) -> CapQuota {
        CapQuota(count)
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.0
    }

    /// Both together, if that can be counted.
    #[must_use]
    pub fn checked_add(self, other: CapQuota) -> Option<CapQuota> {
        self.0.checked_add(other.0).map(CapQuota)
    }
}

impl fmt::Display for CapQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
