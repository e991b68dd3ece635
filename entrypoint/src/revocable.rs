//! Taking back what was given.

use crate::entrypoint::Entrypoint;
use crate::object::{Kind, Object, Served};
use crate::weak::WeakEntrypoint;
use portcullis_ipc::{self as ipc, MsgBuf};
use portcullis_rpc::{Capability, Interface};
use std::any::{Any, TypeId};
use std::fmt;

/// A capability that its giver can take back.
///
/// Dissolving an object takes it from everybody. To take it from somebody, give him a capability to an object in
/// between, which passes every call on, and dissolve that: this is the object in between, and the right to dissolve
/// it. It passes on messages as they are, capabilities included; it knows nothing of the interface, and answers what
/// the target answers.
///
/// - Taken back, the given capability is invalid at once, wherever it was delegated to. A call that is being passed
///   on is still answered.
/// - What the target has handed out in its answers is not taken back: a target that hands out capabilities is given
///   away with care.
/// - The entrypoint of the giver is in between, too: while it waits for the target of another entrypoint it serves
///   nobody else. A target of its own costs one look into the pool.
/// - When the target is dead, so is the given capability.
///
/// Dropping it takes the capability back.
///
/// ```
/// use portcullis_entrypoint::{Entrypoint, Revocable};
/// use portcullis_ipc::Pd;
/// use portcullis_rpc::{Capability, Error, rpc_interface};
///
/// #[rpc_interface]
/// trait Safe {
///     fn open(&mut self) -> Result<u32, Error>;
/// }
///
/// impl Safe for u32 {
///     fn open(&mut self) -> Result<u32, Error> {
///         Ok(*self)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let entrypoint = Entrypoint::new(&Pd::new()?)?;
/// let safe: Capability<dyn Safe> = entrypoint.manage(7_u32);
/// let lent = Revocable::new(&entrypoint, safe.clone());
/// let (key, handle) = (lent.capability(), entrypoint.handle());
/// let borrower = std::thread::spawn(move || {
///     let first = key.client().open();
///     handle.stop();
///     (first, key)
/// });
/// entrypoint.run()?;
/// let (first, key) = borrower.join().expect("it only opens");
/// assert_eq!(first, Ok(7));
/// lent.revoke();
/// assert!(!entrypoint.manages(&key) && entrypoint.manages(&safe));
/// # Ok(()) }
/// ```
pub struct Revocable<I: ?Sized> {
    given: Capability<I>,
    entrypoint: WeakEntrypoint,
}

impl<I: ?Sized + Interface> Revocable<I> {
    /// Puts an object of the entrypoint in between.
    ///
    /// # Panics
    /// As [`Entrypoint::manage`].
    #[must_use = "dropping it takes the capability back"]
    pub fn new(entrypoint: &Entrypoint, target: Capability<I>) -> Revocable<I> {
        let minted = entrypoint.0.server.borrow_mut().mint();
        let given = entrypoint.add(minted, Forwarder(target.into_untyped()));
        Revocable { given, entrypoint: entrypoint.downgrade() }
    }

    /// The capability to give away.
    #[must_use]
    pub fn capability(&self) -> Capability<I> {
        self.given.clone()
    }

    /// Takes it back: the same as dropping it.
    pub fn revoke(self) {}
}

impl<I: ?Sized> Drop for Revocable<I> {
    fn drop(&mut self) {
        // An entrypoint that has ended has taken back all that it gave.
        if let Some(entrypoint) = self.entrypoint.upgrade() {
            entrypoint.dissolve(&self.given);
        }
    }
}

impl<I: ?Sized + Interface> fmt::Debug for Revocable<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Revocable").field(&self.given).finish()
    }
}

/// Passes every call on to the target.
struct Forwarder(ipc::Capability);

impl Object for Forwarder {
    fn kind(&self) -> &'static Kind {
        const { &Kind { of: TypeId::of::<Forwarder>(), size: size_of::<Forwarder>() } }
    }

    fn serve(&mut self, entrypoint: &Entrypoint, request: &mut MsgBuf, reply: &mut MsgBuf) -> Served {
        let (is_own, badge) = {
            let server = entrypoint.0.server.borrow();
            (server.hosts(&self.0), server.badge_of(&self.0))
        };
        match badge {
            // Called through the transport, the entrypoint would wait for itself.
            Some(badge) => entrypoint.serve_object(badge, request, reply),
            None if is_own => Err(ipc::Error::InvalidCapability.into()),
            None => Ok(self.0.call(request, reply)?),
        }
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn unreferenced(&mut self, _: &Entrypoint) {}
}
