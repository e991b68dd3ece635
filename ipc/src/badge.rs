//! The entrypoint's own name for an object.

use crate::wire::head::RowName;

/// The name under which a server knows one of its objects or signal contexts: a slot and a generation. Clients never see
/// or choose it.
///
/// ```
/// # fn main() -> Result<(), portcullis_ipc::Error> {
/// use portcullis_ipc::{Pd, Server};
///
/// let mut server = Server::new(&Pd::new()?)?;
/// let (first, _capability) = server.mint()?;
/// server.dissolve(first);
/// let (second, _capability) = server.mint()?;
/// assert_eq!(first.slot(), second.slot(), "the slot can index an array");
/// assert_ne!(first, second, "and is told apart from its former tenant");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Badge(pub(crate) RowName);

impl Badge {
    /// The object's slot: small, and free again when the object is dissolved. Signal contexts have slots of their own.
    #[must_use]
    #[inline]
    pub fn slot(self) -> usize {
        (self.0.index() & !RowName::CONTEXTS) as usize
    }

    /// Whether it is that of a signal context.
    #[inline]
    pub(crate) fn is_context(self) -> bool {
        self.0.is_context()
    }
}
