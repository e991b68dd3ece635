//! Amounts of quota: memory and capabilities, each a unit of its own.

use portcullis_shm::RamQuota;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An amount of capabilities: how many sessions and objects somebody may have held for him.
///
/// ```
/// use portcullis_component::CapQuota;
///
/// assert_eq!(CapQuota::new(3).to_string(), "3 capabilities");
/// assert_eq!(CapQuota::new(3).count(), 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CapQuota(u64);

impl CapQuota {
    /// So many capabilities.
    #[must_use]
    pub const fn new(count: u64) -> CapQuota {
        CapQuota(count)
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CapQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} capabilities", self.0)
    }
}

/// What is donated, moved and given back together: memory and capabilities.
///
/// ```
/// use portcullis_component::{CapQuota, Quota};
/// use portcullis_shm::RamQuota;
///
/// let quota = Quota { ram: RamQuota::kib(8), caps: CapQuota::new(2) };
/// let half = Quota { ram: RamQuota::kib(4), caps: CapQuota::new(1) };
/// assert_eq!(quota.checked_sub(half), Some(half));
/// assert_eq!(half.checked_sub(quota), None);
/// assert_eq!(half.missing_for(quota), half);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Memory.
    pub ram: RamQuota,
    /// Capabilities.
    pub caps: CapQuota,
}

impl Quota {
    /// Nothing.
    pub const NONE: Quota = Quota::new(0, 0);

    /// So many bytes and so many capabilities.
    #[must_use]
    pub const fn new(bytes: u64, caps: u64) -> Quota {
        Quota { ram: RamQuota::bytes(bytes), caps: CapQuota::new(caps) }
    }

    /// Both together; `None` if that is more than there are numbers.
    #[must_use]
    pub fn checked_add(self, other: Quota) -> Option<Quota> {
        self.both(other, u64::checked_add)
    }

    /// What is left of it; `None` if there is too little of either.
    #[must_use]
    pub fn checked_sub(self, other: Quota) -> Option<Quota> {
        self.both(other, u64::checked_sub)
    }

    /// How much more it takes to have as much as that, of each.
    #[must_use]
    pub fn missing_for(self, wanted: Quota) -> Quota {
        wanted.saturating_sub(self)
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Quota::NONE
    }

    pub(crate) fn saturating_add(self, other: Quota) -> Quota {
        Quota::new(
            self.ram.in_bytes().saturating_add(other.ram.in_bytes()),
            self.caps.0.saturating_add(other.caps.0),
        )
    }

    pub(crate) fn saturating_sub(self, other: Quota) -> Quota {
        Quota::new(
            self.ram.in_bytes().saturating_sub(other.ram.in_bytes()),
            self.caps.0.saturating_sub(other.caps.0),
        )
    }

    /// The smaller amount of each.
    pub(crate) fn min(self, other: Quota) -> Quota {
        Quota { ram: self.ram.min(other.ram), caps: self.caps.min(other.caps) }
    }

    fn both(self, other: Quota, calculate: fn(u64, u64) -> Option<u64>) -> Option<Quota> {
        let ram = calculate(self.ram.in_bytes(), other.ram.in_bytes())?;
        Some(Quota::new(ram, calculate(self.caps.0, other.caps.0)?))
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {}", self.ram, self.caps)
    }
}

impl Serialize for Quota {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.ram.in_bytes(), self.caps.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (bytes, caps) = Deserialize::deserialize(deserializer)?;
        Ok(Quota::new(bytes, caps))
    }
}
