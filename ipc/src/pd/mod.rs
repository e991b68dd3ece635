//! Protection domains.

mod alarms;
mod closer;
pub(crate) mod groups;
pub(crate) mod issued;
mod options;
pub(crate) mod peer_descriptor;
pub(crate) mod spawn;
pub(crate) mod watcher;

pub use options::{Doorbell, PdOptions};

use self::closer::Closer;
use self::groups::Groups;
use self::issued::Issued;
use crate::allowance::Allowance;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::sys::pipe::Pipe;
use crate::wait_policy::WaitPolicy;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};
use watcher::Watcher;

/// A protection domain: what one process, or one part of it, holds of channels, and how it waits.
///
/// An explicit value and not a global, so that a test may hold several in one process. Clones are the same domain;
/// it ends with its last channel. One thread, started when first needed, watches the channels for the death of
/// their other side.
///
/// ```
/// use portcullis_ipc::{Deadline, Pd, PdOptions};
/// use std::time::Duration;
///
/// let patient = PdOptions { deadline: Deadline::After(Duration::from_secs(60)), ..PdOptions::default() };
/// let pd = Pd::with(patient)?;
/// # Ok::<_, portcullis_ipc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pd(Arc<Domain>);

#[derive(Debug)]
struct Domain {
    options: PdOptions,
    watcher: OnceLock<Watcher>,
    closer: OnceLock<Closer>,
    groups: Groups,
    issued: Issued,
}

impl Pd {
    /// A protection domain with the default options: 5 s for a call, adaptive waiting.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn new() -> Result<Pd, Error> {
        Pd::with(PdOptions::default())
    }

    /// A protection domain with options.
    ///
    /// # Errors
    /// None today; what a later option needs of the system may be refused.
    pub fn with(options: PdOptions) -> Result<Pd, Error> {
        Ok(Pd(Arc::new(Domain {
            options,
            watcher: OnceLock::new(),
            closer: OnceLock::new(),
            groups: Groups::default(),
            issued: Issued::default(),
        })))
    }

    /// How long a call of this domain may take when nothing else is said.
    #[must_use]
    #[inline]
    pub fn default_deadline(&self) -> Deadline {
        self.0.options.deadline
    }

    /// What those may spend to whom capabilities of others are handed on.
    pub(crate) fn allowance(&self) -> Allowance {
        self.0.options.allowance
    }

    pub(crate) fn wait_policy(&self) -> WaitPolicy {
        self.0.options.wait
    }

    /// A pipe to ring with, if this domain rings by pipe.
    pub(crate) fn doorbell_pipe(&self) -> Result<Option<Pipe>, Error> {
        match self.0.options.doorbell {
            Doorbell::Socket => Ok(None),
            Doorbell::Pipe => Pipe::new().map(Some),
        }
    }

    /// The channels that portals fold into.
    pub(crate) fn groups(&self) -> &Groups {
        &self.0.groups
    }

    /// The tokens by which capabilities come home.
    pub(crate) fn issued(&self) -> &Issued {
        &self.0.issued
    }

    /// The watcher, started if need be.
    pub(crate) fn watcher(&self) -> Result<&Watcher, Error> {
        if let Some(watcher) = self.0.watcher.get() {
            return Ok(watcher);
        }
        let started = Watcher::start()?;
        // Unless another thread was first: then ours ends again.
        Ok(self.0.watcher.get_or_init(|| started))
    }

    /// Has descriptors of unknown kind closed by a thread that does nothing else: a close can block for as long as a
    /// stranger likes.
    pub(crate) fn close_later(&self, descriptors: impl IntoIterator<Item = OwnedFd>) {
        let mut descriptors = descriptors.into_iter().peekable();
        if descriptors.peek().is_some() {
            self.0.closer.get_or_init(Closer::start).close(descriptors);
        }
    }
}
