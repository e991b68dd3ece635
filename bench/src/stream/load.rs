//! What goes through a stream in a block, and through the rings beside it.

use crate::error::Error;
use crate::floor::Shape;
use portcullis_packet_stream::Geometry;
use portcullis_shm::Window;
use serde::{Deserialize, Serialize};

/// The bytes of the header of a packet: as many as that of IPv6 has.
pub(super) const HEADER: usize = 40;
/// Bytes in a trial of a block, but not more packets than the second: at most some milliseconds.
const TRIAL_BYTES: usize = 8 << 20;
const TRIAL_PACKETS: usize = 10_000;

/// How a sink reads packets, and a source writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    /// All bytes, by checked copies.
    AllBytes,
    /// All bytes, as plain slices of a trusted peer.
    Trusted,
    /// All bytes are written and the header is read, by checked copies.
    Header,
}

/// Packets of one size, all of whose bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) way: Way,
    pub(crate) size: u32,
}

/// What packets go through: each has a part of the dataspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Through {
    Stream,
    /// The ring that shows each packet at once.
    Ring,
    /// The ring that shows packets as seldom as the stream does.
    RareRing,
}

impl Load {
    /// The bytes of a packet.
    pub(super) fn size(self) -> usize {
        self.size as usize
    }

    /// How many of them are read, the first ones.
    pub(super) fn read(self) -> usize {
        if self.way == Way::Header { HEADER.min(self.size()) } else { self.size() }
    }

    /// How many packets there is room for.
    pub(super) fn slots(self) -> u32 {
        ((1 << 20) / self.size.max(1)).clamp(4, 1024)
    }

    /// How many packets a block has before it is known how many take 10 ms.
    pub(super) fn trial(self) -> usize {
        (TRIAL_BYTES / self.size().max(1)).min(TRIAL_PACKETS)
    }

    /// How many packets the stream shows at once.
    pub(super) fn batch(self) -> usize {
        (self.slots() as usize / 8).clamp(1, 128)
    }

    /// The bytes of all packets that there is room for.
    pub(super) fn content(self) -> usize {
        self.slots() as usize * self.size()
    }

    pub(super) fn geometry(self) -> Result<Geometry, Error> {
        // Large packets need no small granules.
        let granule = (self.size / 64).next_power_of_two().max(Geometry::GRANULE);
        Ok(Geometry::new(self.slots(), self.slots(), self.content())?.with_granule(granule)?)
    }

    pub(super) fn shape(self, through: Through) -> Shape {
        let batch = if through == Through::RareRing { self.batch() } else { 1 };
        Shape { slots: self.slots() as usize, size: self.size(), batch }
    }

    /// Where in the dataspace that is.
    pub(super) fn window(self, through: Through) -> Result<Window, Error> {
        let part = self.part()?;
        Ok(Window::new(through as usize * part, part))
    }

    /// The size of the dataspace.
    pub(super) fn bytes(self) -> Result<usize, Error> {
        Ok(3 * self.part()?)
    }

    fn part(self) -> Result<usize, Error> {
        let ring = self.shape(Through::Ring).bytes();
        Ok(self.geometry()?.bytes::<()>().max(ring).next_multiple_of(4096))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_dataspace_follow_each_other_and_hold_what_they_must() {
        for size in [1, 64, 4096, 1 << 20] {
            let load = Load { way: Way::Header, size };
            let part = load.part().unwrap();
            assert!(part >= load.geometry().unwrap().bytes::<()>());
            assert_eq!(load.window(Through::RareRing).unwrap(), Window::new(2 * part, part));
            assert!(load.bytes().unwrap() <= 16 << 20, "{size}");
            assert!(load.shape(Through::RareRing).batch.is_power_of_two());
        }
    }

    #[test]
    fn a_header_is_no_longer_than_its_packet() {
        let read = |size| Load { way: Way::Header, size }.read();
        assert_eq!([read(16), read(64)], [16, HEADER]);
    }
}
