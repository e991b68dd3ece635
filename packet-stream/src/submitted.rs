//! What the source has submitted: its own table, which decides what an acknowledgement is worth.

use crate::geometry::Geometry;
use crate::region::{AllegedRegion, Region};

/// For each granule, the packet that begins there and is with the sink.
#[derive(Debug)]
pub(crate) struct Submitted<D> {
    packets: Vec<Option<(u32, D)>>,
    len: usize,
}

impl<D: Copy> Submitted<D> {
    pub(crate) fn new(granules: usize) -> Submitted<D> {
        Submitted { packets: vec![None; granules], len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Enters a packet that begins at this granule.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // sizes of regions have 32 bits
    pub(crate) fn enter(&mut self, granule: usize, region: Region, control: D) {
        debug_assert!(self.packets[granule].is_none(), "two packets have one granule");
        self.packets[granule] = Some((region.size() as u32, control));
        self.len += 1;
    }

    /// The packet that is meant, if there is one that is exactly like this: it is with the sink no more.
    #[inline]
    pub(crate) fn settle(&mut self, alleged: AllegedRegion, geometry: &Geometry) -> Option<(Region, D)> {
        let alleged = alleged.unchecked();
        let (granule, _) = alleged.granules(geometry);
        let place = self.packets.get_mut(granule)?;
        let (size, _) = (*place)?;
        let region = Region::of_granule(granule, size as usize, geometry);
        if alleged != region {
            return None;
        }
        self.len -= 1;
        place.take().map(|(_, control)| (region, control))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_37_only_what_is_submitted_is_settled_and_only_once() {
        let geometry = Geometry::new(8, 8, 4096).unwrap();
        let mut submitted = Submitted::new(64);
        let region = Region::of_granule(3, 100, &geometry);
        submitted.enter(3, region, 'a');
        let right = region.word();
        for altered in [
            0,
            u64::MAX,
            right + 1,
            right + 64,
            right - (1 << 32),
            right + (1 << 32),
            Region::of_granule(4, 36, &geometry).word(),
        ] {
            assert!(submitted.settle(AllegedRegion(altered), &geometry).is_none(), "{altered:#x}");
        }
        assert_eq!(submitted.len(), 1);
        assert_eq!(submitted.settle(AllegedRegion(right), &geometry), Some((region, 'a')));
        assert_eq!(submitted.settle(AllegedRegion(right), &geometry), None, "twice");
        assert_eq!(submitted.len(), 0);
    }
}
