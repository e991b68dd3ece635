//! Transfers to and from a USB device.

use super::{Outcome, Wrong};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// The kind of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u8)]
pub enum UsbKind {
    /// Its content begins with the eight bytes of a request; data follow, to or from the device.
    Control,
    /// Much, whenever there is time.
    Bulk,
    /// Little, soon.
    Interrupt,
    /// Packets of one size, in time.
    Isochronous,
}

/// The control fields of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct UsbTransfer {
    /// On the way back: the bytes that were transferred.
    pub actual: u32,
    /// The packets of an isochronous transfer.
    pub packets: u32,
    /// The address of the endpoint: its number, and 128 where data come from the device.
    pub endpoint: u8,
    /// The kind.
    pub kind: UsbKind,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a transfer is, once that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A request to the device itself.
    Request,
    /// Data to the device.
    Out,
    /// Data from the device.
    In,
    /// So many packets of so many bytes from the device.
    Packets {
        /// How many.
        count: usize,
        /// The bytes of each.
        size: usize,
    },
}

/// The endpoints of the device of the tests.
const ENDPOINTS: [(u8, UsbKind, Way); 5] = [
    (0, UsbKind::Control, Way::Request),
    (1, UsbKind::Bulk, Way::Out),
    (128 + 1, UsbKind::Bulk, Way::In),
    (128 + 2, UsbKind::Interrupt, Way::In),
    (128 + 3, UsbKind::Isochronous, Way::Packets { count: 1, size: 1 }),
];
/// The bytes of a request.
const REQUEST: usize = 8;

impl UsbTransfer {
    /// A transfer to ask for.
    #[must_use]
    pub fn new(kind: UsbKind, endpoint: u8, packets: u32) -> UsbTransfer {
        UsbTransfer { actual: 0, packets, endpoint, kind, outcome: Outcome::Pending }
    }

    /// What the device is to do, with a packet of that size.
    ///
    /// # Errors
    /// There is no such endpoint, or the size or the number of packets is none of such a transfer.
    pub fn check(&self, size: usize) -> Result<Way, Wrong> {
        let found =
            ENDPOINTS.iter().find(|(address, kind, _)| (*address, *kind) == (self.endpoint, self.kind));
        let (_, _, way) = found.ok_or(Wrong("there is no such endpoint of this kind"))?;
        let packets = usize::try_from(self.packets).map_err(|_| Wrong("too many packets"))?;
        match way {
            Way::Packets { .. } if packets == 0 || size == 0 || !size.is_multiple_of(packets) => {
                Err(Wrong("the content is not made of as many packets"))
            }
            Way::Packets { .. } => Ok(Way::Packets { count: packets, size: size / packets }),
            _ if packets != 0 => Err(Wrong("only isochronous transfers have packets")),
            Way::Request if size < REQUEST => Err(Wrong("a request has eight bytes")),
            way => Ok(*way),
        }
    }

    /// How much of a packet of that size the device has transferred, as it answers.
    ///
    /// # Errors
    /// More than there was room for.
    pub fn transferred(&self, size: usize) -> Result<usize, Wrong> {
        usize::try_from(self.actual)
            .ok()
            .filter(|actual| *actual <= size)
            .ok_or(Wrong("more was transferred than there was room for"))
    }
}
