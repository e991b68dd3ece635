//! Frames of a network.

use super::{Outcome, Wrong};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// What is known of the checksum in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u16)]
pub enum Checksum {
    /// It is there, or none is needed.
    Present,
    /// The card is to fill it in.
    FillIn,
    /// The card has found it right.
    Verified,
}

/// The control fields of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct NetPacket {
    /// What is known of its checksum.
    pub checksum: Checksum,
    /// Where the bytes begin that the checksum is of, which go on to the end.
    pub start: u16,
    /// Where it stands, from there on.
    pub place: u16,
    /// What came of it.
    pub outcome: Outcome,
}

/// A checksum that is to be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Where the bytes begin that it is of.
    pub start: usize,
    /// Where its two bytes stand.
    pub place: usize,
}

/// The bytes of an Ethernet frame: a header at least, and no more than go through at once.
const FRAME: std::ops::RangeInclusive<usize> = 14..=1514;

impl NetPacket {
    /// A frame that needs nothing.
    pub const PLAIN: NetPacket =
        NetPacket { checksum: Checksum::Present, start: 0, place: 0, outcome: Outcome::Pending };

    /// Which checksum is to be filled in, if one is, for a frame of that size.
    ///
    /// # Errors
    /// There is no such frame, or the checksum would stand outside of it.
    pub fn check(&self, size: usize) -> Result<Option<Fill>, Wrong> {
        if !FRAME.contains(&size) {
            return Err(Wrong("no frame is as long"));
        }
        if self.checksum != Checksum::FillIn {
            return Ok(None);
        }
        let start = usize::from(self.start);
        let place = start + usize::from(self.place);
        if place + 2 > size {
            return Err(Wrong("the checksum would stand outside of the frame"));
        }
        Ok(Some(Fill { start, place }))
    }
}

/// The checksum of the Internet (RFC 1071): that of bytes that have it in them is 0.
#[must_use]
pub fn internet_checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    !words.fold(0, |sum: u16, word| {
        let (sum, carry) = sum.overflowing_add(word);
        sum + u16::from(carry)
    })
}
