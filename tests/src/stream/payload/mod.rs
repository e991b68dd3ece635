//! What devices say of their packets: control fields of networks, block devices, video and USB.
//!
//! Each type is plain data that travels in descriptors, and nothing but alleged. Its receiver checks it once, by `check`, against what it
//! knows by itself (the size of the packet, the measures of the device), and goes on with what that answers: ranges and
//! numbers that need no further check. On the way back the receiver says in `outcome` what came of it, and the sender
//! goes by its own record for all else.

mod block;
mod net;
mod usb;
mod video;

pub use block::{BlockOperation, DISK, Disk, Opcode};
pub use net::{Checksum, Fill, NetPacket, internet_checksum};
pub use usb::{UsbKind, UsbTransfer, Way};
pub use video::{Area, SCREEN, Screen, VideoFrame};

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// What came of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u16)]
pub enum Outcome {
    /// Nobody has said yet: on the way there, and of what its receiver has dropped.
    Pending,
    /// It was carried out.
    Done,
    /// The control fields, or what the content says, cannot be meant.
    Refused,
    /// The device could not do it.
    Failed,
}

/// Control fields that cannot be meant: their sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the control fields of a packet are wrong: {0}")]
pub struct Wrong(pub &'static str);
