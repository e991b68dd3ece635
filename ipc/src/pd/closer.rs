//! The thread that closes what strangers sent.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{Sender, channel};

/// Closes descriptors on a thread of its own, in order. It is not the watcher's: while a close takes as long as a
/// stranger likes, deaths must still be seen.
#[derive(Debug)]
pub(super) struct Closer(Sender<OwnedFd>);

impl Closer {
    /// Starts the thread, which ends when this is dropped and all is closed.
    pub(super) fn start() -> Closer {
        let (closer, descriptors) = channel::<OwnedFd>();
        // If there is no thread to be had, the descriptors are closed by whoever brings them.
        let _ = std::thread::Builder::new()
            .name("portcullis-close".into())
            .spawn(move || descriptors.into_iter().for_each(drop));
        Closer(closer)
    }

    pub(super) fn close(&self, descriptors: impl Iterator<Item = OwnedFd>) {
        for descriptor in descriptors {
            // Without its thread the descriptor comes back and is closed here.
            let _ = self.0.send(descriptor);
        }
    }
}
