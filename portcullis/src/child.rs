//! Child processes, typed: a parent and a child that know the interface between them.

use crate::entrypoint::{self, Entrypoint};
use crate::ipc::{self, Child, Pd};
use crate::rpc::{Capability, Interface, Serves};
use std::process::Command;

/// Starts a process whose only link to us is the capability to its first object: the one that it gives to
/// [`serve_parent`]. The capability can be called at once; the call waits until the process serves. Dropping the
/// [`Child`] kills the process, and one that serves its parent ends by itself when the capability is dropped.
///
/// That the object has this interface is alleged: if it has another, calls are
/// [`WrongInterface`](crate::rpc::Error::WrongInterface).
///
/// ```no_run
/// use portcullis::prelude::*;
/// use std::process::Command;
///
/// #[rpc_interface]
/// trait Counter {
///     fn count(&mut self, text: &str) -> Result<usize, rpc::Error>;
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (_child, counter) = portcullis::spawn::<dyn Counter>(&Pd::new()?, Command::new("counter"))?;
/// println!("{} words", counter.client().count("a few words")?);
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`Pd::spawn`].
pub fn spawn<I: ?Sized + Interface>(pd: &Pd, command: Command) -> Result<(Child, Capability<I>), ipc::Error> {
    let (child, first) = pd.spawn(command)?;
    Ok((child, Capability::from_untyped(first)))
}

/// Serves the parent, which started this process by [`spawn`], until it lets go of the capability or ends: manages
/// the object on an entrypoint of the calling thread, and gives it to the parent.
///
/// ```no_run
/// use portcullis::prelude::*;
///
/// #[rpc_interface]
/// trait Counter {
///     fn count(&mut self, text: &str) -> Result<usize, rpc::Error>;
/// }
///
/// struct Words;
/// impl Counter for Words {
///     fn count(&mut self, text: &str) -> Result<usize, rpc::Error> {
///         Ok(text.split_whitespace().count())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// portcullis::serve_parent::<dyn Counter, _>(&Pd::new()?, Words)?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`Entrypoint::new`] and [`Entrypoint::serve_parent`]; `NotSpawned` if this process has no parent that it could
/// serve.
pub fn serve_parent<I, T>(pd: &Pd, object: T) -> Result<(), entrypoint::Error>
where
    I: ?Sized + Serves<T>,
    T: 'static,
{
    serve_parent_with::<I, T>(pd, |_| object)
}

/// As [`serve_parent`], for an object that wants to know its entrypoint, to manage others there:
///
/// ```standalone_crate
/// use portcullis::prelude::*;
/// use std::{env, process::Command};
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
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let pd = Pd::new()?;
///     if env::args().any(|argument| argument == "child") {
///         let keeper = |entrypoint: &Entrypoint| Keeper(entrypoint.downgrade());
///         return Ok(portcullis::serve_parent_with::<dyn Door, _>(&pd, keeper)?);
///     }
///     let mut command = Command::new(env::current_exe()?);
///     command.arg("child");
///     let (mut child, door) = portcullis::spawn::<dyn Door>(&pd, command)?;
///     assert_eq!(door.client().open()?.client().number()?, 7);
///     drop(door);
///     assert!(child.wait()?.success(), "it ends when its parent lets go of it");
///     Ok(())
/// }
/// ```
///
/// # Errors
/// As [`serve_parent`].
pub fn serve_parent_with<I, T>(pd: &Pd, make: impl FnOnce(&Entrypoint) -> T) -> Result<(), entrypoint::Error>
where
    I: ?Sized + Serves<T>,
    T: 'static,
{
    let entrypoint = Entrypoint::new(pd)?;
    entrypoint.serve_parent(&entrypoint.manage::<I, T>(make(&entrypoint)))?;
    match entrypoint.run() {
        Err(entrypoint::Error::Transport(ipc::Error::ParentGone)) => Ok(()),
        other => other,
    }
}
