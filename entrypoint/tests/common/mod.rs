//! What the tests share: objects that do what a test says, and an entrypoint on a thread of its own.
#![allow(dead_code)] // each test uses its part

use portcullis_entrypoint::{Entrypoint, EntrypointHandle, WeakEntrypoint};
use portcullis_ipc::{Deadline, Pd, PdOptions};
use portcullis_rpc::{Capability, Error, rpc_interface};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

#[rpc_interface]
pub(crate) trait Act {
    /// Does what the test says.
    fn act(&mut self, with: Option<Capability<dyn Act>>) -> Result<u64, Error>;
    /// Adds to what the object has; answers the sum.
    fn add(&mut self, amount: u64) -> Result<u64, Error>;
    /// Hands back what was handed over.
    fn pass(
        &mut self,
        first: Capability<dyn Act>,
        label: &str,
    ) -> Result<(Capability<dyn Act>, String), Error>;
}

/// An object whose `act` is a closure.
pub(crate) struct Actor<F> {
    pub(crate) entrypoint: WeakEntrypoint,
    pub(crate) script: F,
    pub(crate) sum: u64,
    /// Told when it is dropped.
    pub(crate) grave: Option<Box<dyn FnOnce()>>,
}

impl<F> Act for Actor<F>
where
    F: FnMut(&Entrypoint, Option<Capability<dyn Act>>) -> Result<u64, Error>,
{
    fn act(&mut self, with: Option<Capability<dyn Act>>) -> Result<u64, Error> {
        let entrypoint = self.entrypoint.upgrade().expect("it runs this method");
        (self.script)(&entrypoint, with)
    }

    fn add(&mut self, amount: u64) -> Result<u64, Error> {
        self.sum += amount;
        Ok(self.sum)
    }

    fn pass(
        &mut self,
        first: Capability<dyn Act>,
        label: &str,
    ) -> Result<(Capability<dyn Act>, String), Error> {
        Ok((first, label.to_uppercase()))
    }
}

impl<F> Drop for Actor<F> {
    fn drop(&mut self) {
        if let Some(grave) = self.grave.take() {
            grave();
        }
    }
}

/// What an object without a script does.
pub(crate) type Plain = fn(&Entrypoint, Option<Capability<dyn Act>>) -> Result<u64, Error>;

/// An object with a script.
pub(crate) fn actor<F>(entrypoint: &Entrypoint, script: F) -> Actor<F>
where
    F: FnMut(&Entrypoint, Option<Capability<dyn Act>>) -> Result<u64, Error>,
{
    Actor { entrypoint: entrypoint.downgrade(), script, sum: 0, grave: None }
}

/// An object without a script.
pub(crate) fn plain(entrypoint: &Entrypoint) -> Actor<Plain> {
    actor(entrypoint, |_, _| Ok(0))
}

/// An object without a script, and whether it was dropped.
pub(crate) fn mortal(entrypoint: &Entrypoint) -> (Actor<Plain>, Rc<Cell<bool>>) {
    let is_dropped = Rc::new(Cell::new(false));
    let grave = is_dropped.clone();
    (with_grave(entrypoint, move || grave.set(true)), is_dropped)
}

/// An object that is told to run a closure when it is dropped.
pub(crate) fn with_grave(entrypoint: &Entrypoint, grave: impl FnOnce() + 'static) -> Actor<Plain> {
    let mut object = plain(entrypoint);
    object.grave = Some(Box::new(grave));
    object
}

/// A protection domain that is patient enough for a machine under load.
pub(crate) fn patient() -> Pd {
    Pd::with(PdOptions { deadline: Deadline::After(LONG), ..PdOptions::default() }).expect("there is memory")
}

/// What no test takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A new entrypoint of this thread.
pub(crate) fn new() -> Entrypoint {
    Entrypoint::new(&patient()).expect("there are descriptors")
}

/// An entrypoint on a thread of its own; dropping this ends it.
pub(crate) struct Running {
    pub(crate) handle: EntrypointHandle,
    thread: Option<JoinHandle<Result<(), portcullis_entrypoint::Error>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.expect("joined once").expect("the entrypoint lives on").expect("it was stopped");
        }
    }
}

/// Starts an entrypoint on a thread of its own, with the objects that `setup` manages.
pub(crate) fn start<R: Send + 'static>(
    setup: impl FnOnce(&Entrypoint) -> R + Send + 'static,
) -> (R, Running) {
    start_in(&patient(), setup)
}

/// As [`start`], in a protection domain.
pub(crate) fn start_in<R: Send + 'static>(
    pd: &Pd,
    setup: impl FnOnce(&Entrypoint) -> R + Send + 'static,
) -> (R, Running) {
    let pd = pd.clone();
    let (to_us, from_thread) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let entrypoint = Entrypoint::new(&pd).expect("there are descriptors");
        let result = setup(&entrypoint);
        to_us.send((result, entrypoint.handle())).expect("the test waits");
        entrypoint.run()
    });
    let (result, handle) = from_thread.recv().expect("the setup does not panic");
    (result, Running { handle, thread: Some(thread) })
}

/// Runs `client` on a thread of its own while the entrypoint of this thread serves it.
pub(crate) fn serve_while<R: Send + 'static>(
    entrypoint: &Entrypoint,
    client: impl FnOnce() -> R + Send + 'static,
) -> R {
    let handle = entrypoint.handle();
    let client = std::thread::spawn(move || {
        struct Stop(EntrypointHandle);
        impl Drop for Stop {
            fn drop(&mut self) {
                self.0.stop();
            }
        }
        let _stop = Stop(handle);
        client()
    });
    entrypoint.run().expect("it is stopped");
    client.join().expect("the client does not panic")
}
