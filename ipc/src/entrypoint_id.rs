//! Names of entrypoints.

use std::num::NonZeroU64;

/// A name that an entrypoint draws for itself. It gives no right to anything, and decides nothing: whoever lies about
/// one makes calls look as if they went round in circles, or hides that they do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntrypointId(NonZeroU64);

impl EntrypointId {
    /// A name that nobody else has.
    pub(crate) fn draw() -> EntrypointId {
        EntrypointId(NonZeroU64::new(crate::random::word()).unwrap_or(NonZeroU64::MIN))
    }

    /// The word for it.
    pub(crate) fn word(self) -> u64 {
        self.0.get()
    }

    /// The word for it; zero if it is not known.
    #[inline]
    pub(crate) fn encode(id: Option<EntrypointId>) -> u64 {
        id.map_or(0, |id| id.0.get())
    }

    /// The name that a word stands for, if it is known.
    #[inline]
    pub(crate) fn decode(word: u64) -> Option<EntrypointId> {
        NonZeroU64::new(word).map(EntrypointId)
    }
}

impl std::fmt::Debug for EntrypointId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Half of it tells entrypoints apart for a reader.
        write!(f, "entrypoint {:08x}", self.0.get() >> 32)
    }
}
