//! Where a station runs.

use super::Station;
use super::towers::Master;
use crate::host::patient;
use portcullis_entrypoint::{Entrypoint, EntrypointHandle, Error};
use portcullis_ipc::{Child, Pd, WaitPolicy};
use portcullis_rpc::Capability;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A running station; dropping it ends it.
pub struct Host {
    /// Its first object.
    pub root: Capability<dyn Station>,
    place: Place,
}

enum Place {
    Process(Child),
    Thread(EntrypointHandle, Option<JoinHandle<Result<(), Error>>>),
}

impl Host {
    /// Starts it as a process: `program` is the binary `station` of this package.
    ///
    /// # Errors
    /// As `Pd::spawn`.
    pub fn process(program: impl AsRef<Path>) -> Result<Host, Error> {
        let (child, root) = patient(WaitPolicy::Adaptive)?.spawn(Command::new(program.as_ref()))?;
        Ok(Host { root: Capability::from_untyped(root), place: Place::Process(child) })
    }

    /// Starts it on a thread of this process.
    ///
    /// # Errors
    /// As `Entrypoint::new`.
    ///
    /// # Panics
    /// If the thread ends before it serves.
    pub fn thread() -> Result<Host, Error> {
        let pd = patient(WaitPolicy::Adaptive)?;
        let (to_us, from_thread) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let entrypoint = Entrypoint::new(&pd)?;
            let root: Capability<dyn Station> = entrypoint.manage(Master::new(&entrypoint));
            // Nobody there any more: then it is stopped at once.
            let _ = to_us.send((root, entrypoint.handle()));
            entrypoint.run()
        });
        let (root, handle) = from_thread.recv().expect("the thread serves");
        Ok(Host { root, place: Place::Thread(handle, Some(thread)) })
    }

    /// The process that it runs in, if that is one of its own.
    pub fn child(&mut self) -> Option<&mut Child> {
        match &mut self.place {
            Place::Process(child) => Some(child),
            Place::Thread(..) => None,
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Place::Thread(handle, thread) = &mut self.place {
            handle.stop();
            let ended = thread.take().map(JoinHandle::join);
            if !std::thread::panicking() {
                ended.expect("joined once").expect("it does not panic").expect("it was stopped");
            }
        }
    }
}

/// The whole program of a process that is a station: serves the parent until that ends.
///
/// # Errors
/// What ends it beside the parent's end.
pub fn serve_parent(pd: &Pd) -> Result<(), Error> {
    let entrypoint = Entrypoint::new(pd)?;
    let root: Capability<dyn Station> = entrypoint.manage(Master::new(&entrypoint));
    entrypoint.serve_parent(&root)?;
    match entrypoint.run() {
        Err(Error::Transport(portcullis_ipc::Error::ParentGone)) => Ok(()),
        ended => ended,
    }
}
