//! What this system knows of a file by itself.

use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, Statx, StatxFlags};

/// What is known here of a file, be it out of date: its file system may be a stranger's own, and never answer who asks that.
pub(super) fn stat(file: BorrowedFd<'_>, wanted: StatxFlags) -> rustix::io::Result<Statx> {
    rustix::fs::statx(file, "", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, wanted)
}
