//! What can go wrong with a session, and whose fault it is.

use crate::label::LabelError;
use crate::quota::{CapQuota, Quota};
use portcullis_rpc as rpc;
use portcullis_shm::{self as shm, RamQuota};
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

/// Why there is no session, or none any more. It crosses between processes as data.
///
/// ```
/// use portcullis_component::{CapQuota, Error};
///
/// let error = Error::OutOfCaps { missing: CapQuota::new(2) };
/// assert!(error.to_string().contains("2 capabilities"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, ThisError, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Error {
    /// The caller's: his own budget does not have as much memory.
    #[error(
        "this component's budget lacks {missing}: close sessions, donate less or ask the parent for more"
    )]
    OutOfRam {
        /// What is missing.
        #[serde(with = "ram")]
        missing: RamQuota,
    },
    /// The caller's: his own budget does not have as many capabilities.
    #[error(
        "this component's budget lacks {missing}: close sessions, donate less or ask the parent for more"
    )]
    OutOfCaps {
        /// What is missing.
        #[serde(with = "caps")]
        missing: CapQuota,
    },
    /// The server wants more memory donated for the session.
    #[error("the donation lacks {missing} of what the server needs for this session: donate more")]
    InsufficientRamQuota {
        /// What is missing.
        #[serde(with = "ram")]
        missing: RamQuota,
    },
    /// The server wants more capabilities donated for the session.
    #[error("the donation lacks {missing} of what the server needs for this session: donate more")]
    InsufficientCapQuota {
        /// What is missing.
        #[serde(with = "caps")]
        missing: CapQuota,
    },
    /// Nobody serves it, or the parent or the server does not want this client to have it.
    #[error(
        "the service `{service}` is denied to this client: {reason}; have a route and a server that agree"
    )]
    ServiceDenied {
        /// Which service.
        service: String,
        /// Who denies it and why, in a few words.
        reason: String,
    },
    /// The caller's: the label is none.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The caller's: the arguments of a session are too long.
    #[error("the arguments of a session have at most 256 bytes, and these have {length}: say less")]
    ArgumentsTooLong {
        /// How many they have, in bytes.
        length: usize,
    },
    /// The caller's: the arguments cannot be decoded by the server.
    #[error("the server cannot decode the arguments: build client and server from the same interface")]
    BadArguments,
    /// The caller's: no session has that number.
    #[error("no session of this component has that number: it is closed, or never was")]
    UnknownSession,
    /// The caller's: a session has that number already.
    #[error("a session has that number already: number each session anew")]
    NumberInUse,
    /// The caller's: the session is not open, or something is being done with it.
    #[error("the session is not there yet, or is being upgraded or closed: wait for that")]
    SessionBusy,
    /// The caller's: it was closed before it was there.
    #[error("the session was closed before it was there")]
    Closed,
    /// The server has ended.
    #[error("the server of the session has ended: open a new one")]
    ServerDied,
    /// The parent does not give what it was asked for.
    #[error("the parent does not grant it: do with what is there")]
    NotGranted,
    /// There was no answer.
    #[error(transparent)]
    Rpc(#[from] rpc::Error),
    /// The system does not start it, or its sandbox cannot be.
    #[error("it cannot be started: {reason}")]
    NotStarted {
        /// Why, and what to do.
        reason: String,
    },
    /// The caller's: what has come of what it had begun lies with its parent, and is not fetched.
    #[error("too many outcomes lie there of what was begun: fetch them, and begin it again")]
    TooManyOutcomes,
    /// Memory could not be had, attached or accessed, and not for want of quota.
    #[error("the memory cannot be used: {reason}")]
    Memory {
        /// What is wrong with it, and whose fault that is, in a few words.
        reason: String,
    },
}

impl Error {
    /// The budget's shortage as an error: memory first.
    pub(crate) fn out_of(missing: Quota) -> Error {
        match missing.ram {
            ram if ram > RamQuota::default() => Error::OutOfRam { missing: ram },
            _ => Error::OutOfCaps { missing: missing.caps },
        }
    }

    /// The donation's shortage as an error: memory first.
    #[must_use]
    pub fn insufficient(missing: Quota) -> Error {
        match missing.ram {
            ram if ram > RamQuota::default() => Error::InsufficientRamQuota { missing: ram },
            _ => Error::InsufficientCapQuota { missing: missing.caps },
        }
    }

    /// Something that cannot be started.
    pub(crate) fn not_started(reason: &dyn std::error::Error) -> Error {
        Error::NotStarted { reason: reason.to_string() }
    }

    /// What kept a server from memory on its client's donation.
    pub(crate) fn on_donation(error: shm::Error) -> Error {
        match Error::from(error) {
            Error::OutOfRam { missing } => Error::InsufficientRamQuota { missing },
            other => other,
        }
    }

    /// A service that is denied.
    #[must_use]
    pub fn denied(service: &str, reason: &str) -> Error {
        Error::ServiceDenied { service: shortened(service), reason: shortened(reason) }
    }
}

impl Error {
    /// The same with what fits into any message of its texts, which somebody else may have written.
    pub(crate) fn in_brief(self) -> Error {
        match self {
            Error::ServiceDenied { service, reason } => Error::denied(&service, &reason),
            Error::NotStarted { reason } => Error::NotStarted { reason: shortened(&reason) },
            Error::Memory { reason } => Error::Memory { reason: shortened(&reason) },
            other => other,
        }
    }
}

/// So much of a text that an error fits into a message.
fn shortened(text: &str) -> String {
    const MOST: usize = 120;
    text[..text.floor_char_boundary(MOST)].to_owned()
}

/// Of memory on one's own budget, or of somebody else's that was attached.
impl From<shm::Error> for Error {
    fn from(error: shm::Error) -> Error {
        match error {
            shm::Error::OutOfRam { asked, available } => Error::OutOfRam {
                missing: RamQuota::bytes(asked.in_bytes().saturating_sub(available.in_bytes())),
            },
            other => Error::Memory { reason: shortened(&other.to_string()) },
        }
    }
}

impl From<portcullis_entrypoint::Error> for Error {
    fn from(error: portcullis_entrypoint::Error) -> Error {
        Error::Rpc(error.into())
    }
}

mod ram {
    use super::RamQuota;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(amount: &RamQuota, serializer: S) -> Result<S::Ok, S::Error> {
        amount.in_bytes().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RamQuota, D::Error> {
        u64::deserialize(deserializer).map(RamQuota::bytes)
    }
}

mod caps {
    use super::CapQuota;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(amount: &CapQuota, serializer: S) -> Result<S::Ok, S::Error> {
        amount.count().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CapQuota, D::Error> {
        u64::deserialize(deserializer).map(CapQuota::new)
    }
}
