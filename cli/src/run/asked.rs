//! What whoever runs a composition asks for by signals, and by writing the file.

use crate::failure::Failure;
use portcullis_entrypoint::EntrypointHandle;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// What was asked for and not done yet. Clones are the same.
#[derive(Clone)]
pub(crate) struct Asked(Arc<Shared>);

struct Shared {
    /// The signal that is to end it, or 0.
    end: AtomicU8,
    reload: AtomicBool,
    entrypoint: EntrypointHandle,
}

impl Asked {
    /// Listens for signals, on a thread of its own. The entrypoint stops for each.
    pub(crate) fn listen(entrypoint: &EntrypointHandle) -> Result<Asked, Failure> {
        let (end, reload) = (AtomicU8::new(0), AtomicBool::new(false));
        let asked = Asked(Arc::new(Shared { end, reload, entrypoint: entrypoint.clone() }));
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(Failure::Signals)?;
        let heard = asked.clone();
        std::thread::spawn(move || signals.forever().for_each(|signal| heard.signal(signal)));
        Ok(asked)
    }

    fn signal(&self, signal: i32) {
        match u8::try_from(signal) {
            Ok(signal) if i32::from(signal) != SIGHUP => self.0.end.store(signal, Ordering::Relaxed),
            _ => return self.ask_to_reload(),
        }
        self.0.entrypoint.stop();
    }

    /// The file is to be read again.
    pub(crate) fn ask_to_reload(&self) {
        self.0.reload.store(true, Ordering::Relaxed);
        // It orders what was stored before whatever the entrypoint's thread reads after it.
        self.0.entrypoint.stop();
    }

    /// Whether there is something to be done.
    pub(crate) fn is_anything(&self) -> bool {
        self.end().is_some() || self.0.reload.load(Ordering::Relaxed)
    }

    /// The signal that is to end it.
    pub(crate) fn end(&self) -> Option<u8> {
        Some(self.0.end.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// Whether the file is to be read again, which is no longer so afterwards.
    pub(crate) fn reload(&self) -> bool {
        self.0.reload.swap(false, Ordering::Relaxed)
    }
}
