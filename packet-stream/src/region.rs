//! Parts of the buffer, and what a peer alleges to be one.

use crate::error::Violation;
use crate::geometry::Geometry;

/// A part of the buffer that lies within it and begins on a granule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    offset: u32,
    size: u32,
}

/// The first word of an entry, as it came: bits 0–31 the offset, 32–63 the size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AllegedRegion(pub(crate) u64);

impl AllegedRegion {
    /// Checks it, for whoever is to access the content.
    #[inline]
    pub(crate) fn check(self, geometry: &Geometry) -> Result<Region, Violation> {
        let region = self.unchecked();
        let inside = region.offset.checked_add(region.size).is_some_and(|end| end <= geometry.buffer);
        // A packet without content has a place, too, by which it is known.
        let placed = region.offset < geometry.buffer && region.offset & (geometry.granule - 1) == 0;
        if inside && placed { Ok(region) } else { Err(Violation::RegionOutside) }
    }

    /// For whoever compares it with what it should be, and does nothing else with it.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // its halves
    pub(crate) fn unchecked(self) -> Region {
        Region { offset: self.0 as u32, size: (self.0 >> 32) as u32 }
    }
}

impl Region {
    /// `granule * geometry.granule + size` lies within the buffer.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // within the buffer, whose size has 32 bits
    pub(crate) fn of_granule(granule: usize, size: usize, geometry: &Geometry) -> Region {
        Region { offset: (granule as u32).wrapping_mul(geometry.granule), size: size as u32 }
    }

    #[inline]
    pub(crate) fn word(self) -> u64 {
        u64::from(self.offset) | u64::from(self.size) << 32
    }

    /// Where it begins, in bytes from the start of the buffer.
    #[inline]
    pub(crate) fn offset(self) -> usize {
        self.offset as usize
    }

    /// In bytes.
    #[inline]
    pub(crate) fn size(self) -> usize {
        self.size as usize
    }

    /// Its first bytes.
    #[inline]
    pub(crate) fn shortened(self, size: usize) -> Region {
        Region { size: u32::try_from(size).map_or(self.size, |size| size.min(self.size)), ..self }
    }

    /// The granules that it takes: one at least.
    #[inline]
    pub(crate) fn granules(self, geometry: &Geometry) -> (usize, usize) {
        let shift = geometry.granule.trailing_zeros();
        let count = ((self.size.max(1) - 1) >> shift) + 1;
        ((self.offset >> shift) as usize, count as usize)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn attack_34_a_region_whose_end_wraps_or_lies_outside_is_none() {
        let geometry = Geometry::new(8, 8, 4096).unwrap();
        let check = |offset: u32, size: u32| {
            AllegedRegion(u64::from(offset) | u64::from(size) << 32).check(&geometry).map(|_| ())
        };
        let outside = Err(Violation::RegionOutside);
        assert_eq!(check(0, 4096), Ok(()));
        assert_eq!(check(4032, 64), Ok(()));
        assert_eq!(check(4032, 0), Ok(()));
        assert_eq!(check(0, 4097), outside);
        assert_eq!(check(4032, 65), outside);
        assert_eq!(check(4096, 0), outside);
        assert_eq!(check(u32::MAX - 63, 64), outside, "the sum is 0");
        assert_eq!(check(64, u32::MAX), outside, "the sum wraps");
        assert_eq!(check(1, 1), outside, "not on a granule");
    }

    #[test]
    fn granules_are_those_that_it_touches() {
        let geometry = Geometry::new(8, 8, 4096).unwrap();
        let granules = |granule, size| Region::of_granule(granule, size, &geometry).granules(&geometry);
        assert_eq!(granules(3, 0), (3, 1));
        assert_eq!(granules(3, 64), (3, 1));
        assert_eq!(granules(3, 65), (3, 2));
        assert_eq!(granules(0, 4096), (0, 64));
    }
}
