//! How an object reaches the entrypoint that manages it.

use crate::entrypoint::{Entrypoint, Inner};
use std::fmt;
use std::rc::Weak;

/// A reference to an entrypoint that does not keep it alive: what its objects keep, since the entrypoint owns them.

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
