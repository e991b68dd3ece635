//! What can go wrong with memory, and whose fault it is.

use crate::quota::RamQuota;
use thiserror::Error;

/// Why memory could not be had, attached or accessed. Nothing here ends the process: what would be a fault is an error.
///
/// ```
/// use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota};
///
/// let allocator = RamAllocator::new(&RamAccount::new(RamQuota::kib(64)));
/// let error = allocator.alloc(1 << 20).unwrap_err();
/// assert!(matches!(error, Error::OutOfRam { .. }));
/// assert!(error.to_string().contains("65536"), "it says what there is: {error}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's: its account does not have as much.
    #[error(
        "the account has {available} left and {asked} were asked for: free a dataspace or ask for more quota"
    )]
    OutOfRam {
        /// What was asked for, pages and bookkeeping included.
        asked: RamQuota,
        /// What the account had left.
        available: RamQuota,
    },
    /// The machine's: it does not have as much memory, whatever the account says. Nothing was taken.
    #[error(
        "the machine can give {available} and {asked} were asked for: ask for less, or when others need less"
    )]
    OutOfMemory {
        /// What was asked for, pages and bookkeeping included.
        asked: RamQuota,
        /// What could be had at that time.
        available: RamQuota,
    },
    /// The caller's: nothing was to be made, attached or set aside, or more than there are addresses.
    #[error("no dataspace, window, region map or account can have {size} bytes")]
    BadSize {
        /// The size asked for, in bytes.
        size: usize,
    },
    /// The caller's: what it named does not lie within the memory. Nothing was read or written.
    #[error("{len} bytes at {offset} do not lie within {size} bytes")]
    OutOfBounds {
        /// Where it begins, in bytes.
        offset: usize,
        /// How long it is, in bytes.
        len: usize,
        /// How long the memory is, in bytes.
        size: usize,
    },
    /// The caller's: it begins or ends at the wrong place.
    #[error("place {offset} of the dataspace or region map is not a multiple of {alignment}")]
    Misaligned {
        /// The place, in bytes from the start of the dataspace (also if a part of it was named) or of the region map.
        offset: usize,
        /// What it must be a multiple of.
        alignment: usize,
    },
    /// The caller's: something is there already, or somebody still holds an attachment to what was there.
    #[error(
        "{len} bytes at {place} are not free: detach what is there and drop its attachments, or choose another place"
    )]
    Overlap {
        /// The place within the region map, in bytes.
        place: usize,
        /// How long it was to be, in bytes.
        len: usize,
    },
    /// The caller's: nowhere are as many addresses free in a row.
    #[error("there is no room for {len} bytes: detach something or reserve a larger region map")]
    NoRoom {
        /// What was looked for, in bytes.
        len: usize,
    },
    /// The caller's: nothing is attached there. Attach something and try again.
    #[error("nothing is attached at {place}")]
    Unattached {
        /// The first place of those that were named at which there is nothing, in bytes.
        place: usize,
    },
    /// The caller's: it may read this memory but not write it. Nothing was written.
    #[error("the memory can only be read: it was shared or attached to be read")]
    ReadOnly,
    /// The owner's doing: it has freed the dataspace.
    #[error("the dataspace was freed by its owner: ask for another one")]
    Revoked,
    /// Whoever handed it out: it is not what a dataspace must be. Nothing was mapped.
    #[error("what came is no dataspace: {0}")]
    NoDataspace(&'static str),
    /// Whoever handed it out: it is larger than the caller wanted to take. Nothing was mapped.
    #[error("{size} bytes are more than the {limit} that are accepted: raise the limit or send less")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// What was to be accepted at most, in bytes.
        limit: usize,
    },
    /// The caller's: it named something that has no content of a certain size, such as a pipe or a directory.
    #[error("only a regular file can be copied into a dataspace")]
    NoFile,
    /// Whoever writes the file: it changed its size while it was read.
    #[error("the file changed its size while it was copied: try again when nobody writes it")]
    Changing,
    /// The system's: a system call failed.
    #[error("the system refused `{call}`: {reason}")]
    System {
        /// The call that failed.
        call: &'static str,
        /// The system's own reason.
        reason: rustix::io::Errno,
    },
}

impl Error {
    /// Turns the reason of a failed system call into an error that names the call.
    pub(crate) fn system(call: &'static str) -> impl FnOnce(rustix::io::Errno) -> Error {
        move |reason| Error::System { call, reason }
    }

    /// What a nested region map says, in places of the one around it.
    pub(crate) fn seen_from(self, start: usize) -> Error {
        match self {
            Error::Unattached { place } => Error::Unattached { place: start + place },
            other => other,
        }
    }
}
