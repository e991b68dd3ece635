//! A component that goes on whatever becomes of its parent.

use super::raw;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

static DEFIES: AtomicBool = AtomicBool::new(false);
static LEADER_LEAVES: AtomicBool = AtomicBool::new(false);

/// From now on this process goes on: on another thread, and on its first one unless that is to end.
pub(super) fn begin(leader_leaves: bool) -> io::Result<JoinHandle<()>> {
    DEFIES.store(true, Ordering::Relaxed);
    LEADER_LEAVES.store(leader_leaves, Ordering::Relaxed);
    Builder::new().spawn(|| forever())
}

/// Whether this process was told to go on without its parent.
#[must_use]
pub fn defies() -> bool {
    DEFIES.load(Ordering::Relaxed)
}

/// The first thread ends here, if it was told to.
pub fn leave() {
    if LEADER_LEAVES.load(Ordering::Relaxed) {
        let _ = raw::call(libc::SYS_exit, [0; 6]);
    }
}

/// Does nothing, and does not end.
pub fn forever() -> ! {
    loop {
        std::thread::park();
    }
}
