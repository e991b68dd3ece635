//! What whoever runs a composition asks for by signals, and by writing the file.

use crate::failure::Failure;
use portcullis_entrypoint::EntrypointHandle;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// What was asked for and not done yet. Clones are the same.
#[derive(Clone)]
pub(crate) struct Asked(Arc<Shared>);

struct Shared {
    /// The signal that is to end it, or 0.
    end: AtomicU8,
    reload: AtomicBool,
    state: AtomicBool,
    /// What is said was shown on a terminal in the beginning.
    was_shown: bool,
    entrypoint: EntrypointHandle,
}

impl Asked {
    /// Listens for signals, on a thread of its own. The entrypoint stops for each.
    pub(crate) fn listen(entrypoint: &EntrypointHandle) -> Result<Asked, Failure> {
        let (reload, state) = (AtomicBool::new(false), AtomicBool::new(false));
        let end = AtomicU8::new(0);
        let was_shown = std::io::stderr().is_terminal();
        let asked = Asked(Arc::new(Shared { end, reload, state, was_shown, entrypoint: entrypoint.clone() }));
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGUSR1]).map_err(Failure::Signals)?;
        let heard = asked.clone();
        std::thread::spawn(move || signals.forever().for_each(|signal| heard.signal(signal)));
        Ok(asked)
    }

    fn signal(&self, signal: i32) {
        match signal {
            // The terminal is closed, and nobody is there any more.
            SIGHUP if self.0.was_shown && !std::io::stderr().is_terminal() => self.ends_by(signal),
            SIGHUP => self.0.reload.store(true, Ordering::Relaxed),
            SIGUSR1 => self.0.state.store(true, Ordering::Relaxed),
            _ => self.ends_by(signal),
        }
        // It orders what was stored before whatever the entrypoint's thread reads after it.
        self.0.entrypoint.stop();
    }

    fn ends_by(&self, signal: i32) {
        self.0.end.store(signal.to_le_bytes()[0], Ordering::Relaxed);
    }

    /// The file is to be read again.
    pub(crate) fn ask_to_reload(&self) {
        self.0.reload.store(true, Ordering::Relaxed);
        // As for a signal.
        self.0.entrypoint.stop();
    }

    /// Whether there is something to be done.
    pub(crate) fn is_anything(&self) -> bool {
        let is_any = [&self.0.reload, &self.0.state].iter().any(|asked| asked.load(Ordering::Relaxed));
        self.end().is_some() || is_any
    }

    /// The signal that is to end it.
    pub(crate) fn end(&self) -> Option<u8> {
        Some(self.0.end.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// Whether it is to be said how all is, which is no longer so afterwards.
    pub(crate) fn state(&self) -> bool {
        self.0.state.swap(false, Ordering::Relaxed)
    }

    /// Whether the file is to be read again, which is no longer so afterwards.
    pub(crate) fn reload(&self) -> bool {
        self.0.reload.swap(false, Ordering::Relaxed)
    }
}
