//! Operations on a block device.

use super::{Outcome, Wrong};
use portcullis_packet_stream::{Operation, Transfer};
use std::ops::Range;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// What a block device is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u16)]
pub enum Opcode {
    /// Blocks into the packet.
    Read,
    /// Blocks out of the packet.
    Write,
    /// Everything that was written is to stay.
    Sync,
    /// The blocks are needed no more.
    Trim,
}

/// The control fields of an operation on some blocks that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct BlockOperation {
    /// The first block.
    pub number: u64,
    /// How many.
    pub count: u32,
    /// What is to be done with them.
    pub opcode: Opcode,
    /// What came of it.
    pub outcome: Outcome,
}

/// The measures of a disk.
#[derive(Clone, Copy, Debug)]
pub struct Disk {
    /// The bytes of a block.
    pub block: usize,
    /// How many it has.
    pub blocks: usize,
}

/// The disk of the tests.
pub const DISK: Disk = Disk { block: 512, blocks: 64 };

impl BlockOperation {
    /// An operation to ask for.
    #[must_use]
    pub fn new(opcode: Opcode, number: u64, count: u32) -> BlockOperation {
        BlockOperation { number, count, opcode, outcome: Outcome::Pending }
    }

    /// Which bytes of the disk are meant, for a packet of that size.
    ///
    /// # Errors
    /// The blocks are not all there, or the packet has not as many bytes.
    pub fn check(&self, size: usize, disk: Disk) -> Result<Range<usize>, Wrong> {
        if self.opcode == Opcode::Sync {
            return if size == 0 { Ok(0..0) } else { Err(Wrong("nothing is read or written")) };
        }
        let end = self.number.checked_add(self.count.into()).and_then(|end| usize::try_from(end).ok());
        let (Some(end), Ok(first)) = (end.filter(|end| *end <= disk.blocks), usize::try_from(self.number))
        else {
            return Err(Wrong("there are no such blocks"));
        };
        // Products of what is at most the number of blocks.
        let bytes = first * disk.block..end * disk.block;
        let carried = if self.transfer() == Transfer::Nothing { 0 } else { bytes.len() };
        if size == carried { Ok(bytes) } else { Err(Wrong("the packet has another size than the blocks")) }
    }
}

impl Operation for BlockOperation {
    fn transfer(&self) -> Transfer {
        match self.opcode {
            Opcode::Read => Transfer::Read,
            Opcode::Write => Transfer::Write,
            Opcode::Sync | Opcode::Trim => Transfer::Nothing,
        }
    }
}
