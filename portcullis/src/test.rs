//! For tests of your own objects: an object on a thread of its own, and a client to call it with.
//!
//! ```
//! use portcullis::prelude::*;
//! use portcullis::test::{Pair, pair};
//!
//! #[rpc_interface]
//! trait Log {
//!     fn write(&mut self, line: &str) -> Result<usize, rpc::Error>;
//! }
//!
//! #[derive(Default)]
//! struct Lines(Vec<String>);
//!
//! impl Log for Lines {
//!     fn write(&mut self, line: &str) -> Result<usize, rpc::Error> {
//!         self.0.push(line.into());
//!         Ok(self.0.len())
//!     }
//! }
//!
//! # fn main() -> Result<(), rpc::Error> {
//! let mut log = pair::<dyn Log, _>(Lines::default())?;
//! assert_eq!(log.write("x")?, 1);
//! assert_eq!(Pair::into_object(log)?.0, ["x"]);
//! # Ok(()) }
//! ```
//!
//! Arguments and results go through messages, as they do between processes. What goes wrong on the object's thread
//! fails the test: see [`Pair`].

use crate::entrypoint::{Entrypoint, EntrypointHandle, Error};
use crate::ipc::Pd;
use crate::rpc::{Client, Interface, Serves};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{Builder, JoinHandle, panicking};
use std::time::Duration;

/// How long the object's thread may go on after its test.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves an object on a thread of its own, in a protection domain of its own with the default options.
///
/// # Errors
/// As [`Pd::new`] and [`Entrypoint::new`].
///
/// # Panics
/// If the system has no thread left.
pub fn pair<I, T>(object: T) -> Result<Pair<I, T>, Error>
where
    I: ?Sized + Serves<T>,
    T: Send + 'static,
{
    pair_with(|_| object)
}

/// As [`pair`], for an object that is made on its thread, since it cannot be sent or wants to know its entrypoint.
///
/// ```
/// use portcullis::prelude::*;
///
/// #[rpc_interface]
/// trait Door {
///     fn open(&mut self) -> Result<Capability<dyn Room>, rpc::Error>;
/// }
///
/// #[rpc_interface]
/// trait Room {
///     fn number(&self) -> Result<u32, rpc::Error>;
/// }
///
/// struct Keeper(WeakEntrypoint);
///
/// impl Door for Keeper {
///     fn open(&mut self) -> Result<Capability<dyn Room>, rpc::Error> {
///         Ok(self.0.upgrade().ok_or(rpc::Error::Disconnected)?.manage(7_u32))
///     }
/// }
///
/// impl Room for u32 {
///     fn number(&self) -> Result<u32, rpc::Error> {
///         Ok(*self)
///     }
/// }
///
/// # fn main() -> Result<(), rpc::Error> {
/// let mut door = portcullis::test::pair_with::<dyn Door, _>(|entrypoint| Keeper(entrypoint.downgrade()))?;
/// assert_eq!(door.open()?.client().number()?, 7);
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`pair`].
///
/// # Panics
/// As [`pair`], and if `make` does.
pub fn pair_with<I, T>(make: impl FnOnce(&Entrypoint) -> T + Send + 'static) -> Result<Pair<I, T>, Error>
where
    I: ?Sized + Serves<T>,
    T: 'static,
{
    let (to_test, from_thread) = channel();
    let (ends, ended) = channel();
    let serve = move || {
        // Dropped when all else is.
        let _ends = ends;
        let entrypoint = Entrypoint::new(&Pd::new()?)?;
        let capability = entrypoint.manage::<I, T>(make(&entrypoint));
        let _ = to_test.send((capability, entrypoint.handle()));
        // Or a failure would leave the test waiting.
        drop(to_test);
        entrypoint.run()
    };
    let thread = Builder::new().name("object".into()).spawn(serve).expect("the system has a thread");
    match from_thread.recv() {
        Ok((capability, entrypoint)) => Ok(Pair {
            client: capability.client(),
            host: Host { entrypoint, ended, thread: Some(thread) },
            object: PhantomData,
        }),
        Err(_) => {
            Err(thread.join().unwrap_or_else(|panic| resume_unwind(panic)).expect_err("it has not run"))
        }
    }
}

/// A client of an object that lives on a thread of its own: made by [`pair`] and [`pair_with`], used like the
/// [`Client`] that it derefs to. What it can do besides are associated functions, so as not to hide the interface's
/// methods.
///
/// When it is dropped, the entrypoint is stopped and the object is dropped on its thread.
///
/// # Panics
/// Its drop panics, and so fails the test, if the thread panicked (the object's drop did), if the entrypoint failed,
/// or if a method still runs after 5 s, in which case the thread is left behind. A panic of a method is its
/// client's to see ([`ServerPanicked`](crate::rpc::Error::ServerPanicked)) and nothing more.
pub struct Pair<I: ?Sized, T> {
    client: Client<I>,
    host: Host,
    object: PhantomData<fn() -> T>,
}

impl<I: ?Sized + Interface, T: 'static> Pair<I, T> {
    /// Runs a closure on the object, on the object's thread, between two calls.
    ///
    /// # Errors
    /// As [`EntrypointHandle::ask`] and [`Entrypoint::apply`].
    pub fn apply<R: Send + 'static>(
        pair: &Self,
        work: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let capability = pair.client.capability().clone();
        pair.host.entrypoint.ask(move |entrypoint| entrypoint.apply(&capability, work))?
    }

    /// Takes the object back, and ends its thread.
    ///
    /// # Errors
    /// As [`EntrypointHandle::ask`] and [`Entrypoint::take`].
    ///
    /// # Panics
    /// As its drop.
    pub fn into_object(pair: Self) -> Result<T, Error>
    where
        T: Send,
    {
        let capability = pair.client.capability().clone();
        let object = pair.host.entrypoint.ask(move |entrypoint| entrypoint.take(&capability))?;
        drop(pair);
        object
    }

    /// The object's entrypoint, to have it do other things too.
    #[must_use]
    pub fn entrypoint(pair: &Self) -> &EntrypointHandle {
        &pair.host.entrypoint
    }
}

impl<I: ?Sized, T> Deref for Pair<I, T> {
    type Target = Client<I>;

    fn deref(&self) -> &Client<I> {
        &self.client
    }
}

impl<I: ?Sized, T> DerefMut for Pair<I, T> {
    fn deref_mut(&mut self) -> &mut Client<I> {
        &mut self.client
    }
}

impl<I: ?Sized + Interface, T> fmt::Debug for Pair<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pair").field(&self.client).finish()
    }
}

/// The thread that the object lives on; ends with this.
struct Host {
    entrypoint: EntrypointHandle,
    /// Closed when the thread is about to end.
    ended: Receiver<()>,
    /// There until this is dropped.
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.entrypoint.stop();
        let is_late = self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        // A test that fails already has said why.
        if panicking() {
            return;
        }
        assert!(!is_late, "a method of the object still runs, {PATIENCE:?} after its test");
        match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => panic!("the entrypoint of the object failed: {error}"),
            Some(Err(panic)) => resume_unwind(panic),
        }
    }
}
