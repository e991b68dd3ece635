//! What a component has its parent do for a session without waiting for it, and what comes of that.

use super::request::Request;
use super::root::Session;
use crate::error::Error;
use crate::quota::Quota;
use portcullis_rpc::Capability;
use serde::{Deserialize, Serialize};

/// Something that may take as long as a server likes. Whoever calls for it and waits holds one of the 16 lanes to its parent meanwhile;
/// who does so for others, being a parent himself, has it [begun](super::Parent::begin). One at a time for each session.
///
/// ```
/// use portcullis_component::{Quota, protocol::Errand};
///
/// let errand = Errand::Upgrade { number: 1, quota: Quota::new(4096, 0) };
/// assert_ne!(errand, Errand::Close { number: 1 });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    /// As [`session`](super::Parent::session).
    Session(Request),
    /// As [`upgrade`](super::Parent::upgrade).
    Upgrade {
        /// Which session.
        number: u64,
        /// What is added to its donation.
        quota: Quota,
    },
    /// As [`close`](super::Parent::close), done when all is back.
    Close {
        /// Which session.
        number: u64,
    },
}

impl Errand {
    /// Which session it is for.
    pub(crate) fn number(&self) -> u64 {
        match self {
            Errand::Session(request) => request.number,
            Errand::Upgrade { number, .. } | Errand::Close { number } => *number,
        }
    }
}

/// What came of an [`Errand`].
///
/// ```
/// use portcullis_component::{Error, protocol::Outcome};
///
/// let outcome = Outcome { serial: 1, number: 1, result: Err(Error::ServerDied) };
/// assert!(outcome.result.is_err());
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Which outcome it is. No other one of the same parent to the same child has the same.
    pub serial: u64,
    /// Which session.
    pub number: u64,
    /// The session, if that was asked for.
    pub result: Result<Option<Capability<dyn Session>>, Error>,
}
