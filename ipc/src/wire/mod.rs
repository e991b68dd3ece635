//! What two protection domains say to each other, bit by bit; `docs/wire.md` is the prose to it.
//!
//! Everything here is a pure conversion between private values. What comes from a peer is *alleged*: it enters as
//! raw words or bytes that were copied once, and leaves as a checked value or as a [`Violation`].

pub(crate) mod control;
#[cfg(all(test, not(loom)))]
mod golden;
pub(crate) mod head;
pub(crate) mod layout;
#[cfg(all(test, not(loom)))]
mod properties;
pub(crate) mod signal;
pub(crate) mod slot;
pub(crate) mod system;

/// The version of everything in this module. A peer of another version is refused.
pub(crate) const VERSION: u16 = 5;

/// What was wrong with an alleged value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub(crate) &'static str);

impl From<Violation> for crate::Error {
    fn from(violation: Violation) -> Self {
        crate::Error::Violation(violation.0)
    }
}
