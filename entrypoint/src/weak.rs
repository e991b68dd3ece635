//! How an object reaches the entrypoint that manages it.

use crate::entrypoint::{Entrypoint, Inner};
use std::fmt;
use std::rc::Weak;

/// A reference to an entrypoint that does not keep it alive: what its objects keep, since the entrypoint owns them.
///
/// ```
/// use portcullis_entrypoint::{Entrypoint, WeakEntrypoint};
/// use portcullis_ipc::Pd;
/// use portcullis_rpc::{Capability, Error, rpc_interface};
///
/// #[rpc_interface]
/// trait Door {
///     fn open(&mut self) -> Result<Capability<dyn Room>, Error>;
/// }
///
/// #[rpc_interface]
/// trait Room {
///     fn leave(&mut self) -> Result<(), Error>;
/// }
///
/// struct Keeper(WeakEntrypoint);
/// struct Guest(WeakEntrypoint);
///
/// impl Door for Keeper {
///     fn open(&mut self) -> Result<Capability<dyn Room>, Error> {
///         let entrypoint = self.0.upgrade().ok_or(Error::Disconnected)?;
///         Ok(entrypoint.manage(Guest(self.0.clone())))
///     }
/// }
///
/// impl Room for Guest {
///     fn leave(&mut self) -> Result<(), Error> {
///         // The capability is dead now, the guest when this has returned.
///         self.0.upgrade().ok_or(Error::Disconnected)?.dissolve_current();
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let entrypoint = Entrypoint::new(&Pd::new()?)?;
/// let door: Capability<dyn Door> = entrypoint.manage(Keeper(entrypoint.downgrade()));
/// let room = entrypoint.apply(&door, |keeper: &mut Keeper| keeper.open())??;
/// assert!(entrypoint.manages(&room));
/// entrypoint.apply(&room, |guest: &mut Guest| guest.leave())??;
/// assert!(!entrypoint.manages(&room));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WeakEntrypoint(pub(crate) Weak<Inner>);

impl WeakEntrypoint {
    /// The entrypoint, unless it has ended. While one of its handlers runs it has not.
    ///
    /// An object that keeps the answer keeps its own entrypoint alive, and so itself.
    #[must_use]
    pub fn upgrade(&self) -> Option<Entrypoint> {
        self.0.upgrade().map(Entrypoint)
    }
}

impl fmt::Debug for WeakEntrypoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.strong_count() == 0 { "WeakEntrypoint(ended)" } else { "WeakEntrypoint" })
    }
}
