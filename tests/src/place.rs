//! Where an entrypoint with a first object runs: in a process of its own, or on a thread of this one.

use crate::host::patient;
use portcullis_entrypoint::{Entrypoint, EntrypointHandle, Error};
use portcullis_ipc::{Child, Pd, WaitPolicy};
use portcullis_rpc::Capability;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A running entrypoint whose first object has the interface `I`; dropping it ends it.
pub struct Host<I: ?Sized> {
    /// Its first object.
    pub root: Capability<I>,
    place: Place,
}

enum Place {
    Process(Child),
    Thread(EntrypointHandle, Option<JoinHandle<Result<(), Error>>>),
}

impl<I: ?Sized + 'static> Host<I> {
    /// Starts it as a process: `program` is a binary of this package.
    ///
    /// # Errors
    /// As `Pd::spawn`.
    pub fn process(program: impl AsRef<Path>) -> Result<Host<I>, Error> {
        let (child, root) = patient(WaitPolicy::Adaptive)?.spawn(Command::new(program.as_ref()))?;
        Ok(Host { root: Capability::from_untyped(root), place: Place::Process(child) })
    }

    /// Starts it on a thread of this process, with the object that `manage` makes.
    ///
    /// # Errors
    /// As `Entrypoint::new`.
    ///
    /// # Panics
    /// If the thread ends before it serves.
    pub fn thread(manage: fn(&Entrypoint) -> Capability<I>) -> Result<Host<I>, Error> {
        let pd = patient(WaitPolicy::Adaptive)?;
        let (to_us, from_thread) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let entrypoint = Entrypoint::new(&pd)?;
            // Nobody there any more: then it is stopped at once.
            let _ = to_us.send((manage(&entrypoint), entrypoint.handle()));
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

impl<I: ?Sized> Drop for Host<I> {
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

/// The whole program of a process whose first object `manage` makes: serves the parent until that ends.
///
/// # Errors
/// What ends it beside the parent's end.
pub fn serve_parent<I: ?Sized>(
    pd: &Pd,
    manage: impl FnOnce(&Entrypoint) -> Capability<I>,
) -> Result<(), Error> {
    let entrypoint = Entrypoint::new(pd)?;
    entrypoint.serve_parent(&manage(&entrypoint))?;
    match entrypoint.run() {
        Err(Error::Transport(portcullis_ipc::Error::ParentGone)) => Ok(()),
        ended => ended,
    }
}
