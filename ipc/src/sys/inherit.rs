//! The one descriptor that a child is born with.
#![allow(unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Where a child finds the portal that its parent gave it.
pub(crate) const PORTAL: RawFd = 3;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The portal that this process was born with; `None` if it was taken before or there is none.
pub(crate) fn take() -> Option<OwnedFd> {
    if TAKEN.swap(true, Ordering::AcqRel) {
        return None;
    }
    // SAFETY: the descriptor is only borrowed for this call; if it is not open, the call below answers EBADF.
    let alleged = unsafe { rustix::fd::BorrowedFd::borrow_raw(PORTAL) };
    super::socket::is_portal(alleged).then(|| {
        // Cannot fail: it is open.
        let _ = rustix::io::fcntl_setfd(alleged, rustix::io::FdFlags::CLOEXEC);
        // SAFETY:
        // - open: `is_portal` has just asked it for its type;
        // - ours alone: `TAKEN` lets one caller through, and by the convention of `Pd::spawn` nobody else in a
        //   spawned process knows this number.
        unsafe { OwnedFd::from_raw_fd(PORTAL) }
    })
}
