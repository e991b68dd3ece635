//! What can go wrong with a call, and whose fault it is.

use thiserror::Error;

/// A failure of the transport or of the framework; what the service itself answers is data and never an `Error`.
///
/// ```
/// use portcullis_ipc::{Error, MsgBuf};
///
/// let error = MsgBuf::new().write(&[0; 1025]).unwrap_err();
/// assert_eq!(error, Error::MessageTooLarge { length: 1025 });
/// assert!(error.to_string().contains("1024"), "the message says what fits");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's: more data than a message holds. Nothing was sent.
    #[error(
        "a message holds 1024 bytes and this one has {length}: send less, or use a dataspace for bulk data"
    )]
    MessageTooLarge {
        /// The size asked for, in bytes.
        length: usize,
    },
    /// The caller's: more capabilities than a message holds. Nothing was sent.
    #[error("a message holds 4 capabilities: delegate the others in a further call")]
    TooManyCapabilities,
    /// The caller's: the capability was dissolved by its server, or it never named anything.
    #[error("the capability is not valid: its object was dissolved; ask for a new one")]
    InvalidCapability,
    /// The server's: it has ended, or it closed the channel because of a violation of the protocol.
    #[error("the server has ended or closed the channel: open a new session")]
    Disconnected,
    /// Nobody's in particular: the server did not answer in time. It may still carry the call out.
    #[error("the server did not answer before the deadline: it is slow, stopped or hostile")]
    DeadlineExceeded,
    /// Nobody's in particular: a call without a deadline through a capability that its entrypoint has not taken up, in the
    /// default time of the protection domain. Nothing was sent. Until then nobody can tell whether that entrypoint lives, so
    /// such a call does not wait for ever.
    #[error(
        "the entrypoint did not take the capability up: it is busy or stopped, or whoever handed it over is hostile; set a deadline to wait longer, or ask for a new one"
    )]
    NotTakenUp,
    /// The server's: it dropped the call without an answer.
    #[error("the server dropped the call without an answer")]
    Abandoned,
    /// The server did not carry the call out, and says why.
    #[error(transparent)]
    Refused(Refusal),
    /// The caller's, or that of whoever introduced it there or handed the capability on: what it may spend at the server is spent
    /// (capabilities, channels or memory).
    #[error(
        "the server refused: what this client, or whoever introduced it, may hold there is used up; drop capabilities first"
    )]
    BudgetExceeded,
    /// Transient: every lane is taken or the channel's socket is full.
    #[error("the channel is busy: every lane is taken or its socket is full; try again")]
    Busy,
    /// The caller's: the call would have come back to an entrypoint that waits for it, directly or through others, or
    /// two entrypoints called each other at once. It was withdrawn, and is not carried out.
    #[error(
        "the call would come back to an entrypoint that waits for it: let its object answer later, or do without the call"
    )]
    CallCycle,
    /// The peer's: it broke the protocol. Its channel has been closed.
    #[error("the peer broke the protocol and its channel was closed: {0}")]
    Violation(&'static str),
    /// The caller's: a `Caller` was answered by another server than its own, or after its client had gone.
    #[error("the caller is not waiting for this answer any more")]
    CallerGone,
    /// The parent has ended, and with it everything this protection domain was started for.
    #[error("the parent has ended")]
    ParentGone,
    /// The environment's: this process was not started by `Pd::spawn`, or the portal was already taken.
    #[error("no portal from a parent: start this program through Portcullis (it serves its parent once)")]
    NotSpawned,
    /// The system's: a system call failed.
    #[error("the system refused `{call}`: {reason}")]
    System {
        /// The call that failed.
        call: &'static str,
        /// The system's own reason.
        reason: rustix::io::Errno,
    },
}

/// Why a server did not carry out a call that reached its object.
///
/// ```
/// use portcullis_ipc::{Error, Refusal};
///
/// let error = Error::Refused(Refusal::UnknownMethod);
/// assert!(error.to_string().contains("client"), "it says whose fault that is");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The client's: the object has no such method.
    #[error("the object has no such method: the client was built for a later version of the interface")]
    UnknownMethod,
    /// The client's: the object has another interface than the client believes, at least up to this method.
    #[error("the object has another interface: client and server were built from different versions of it")]
    WrongInterface,
    /// The client's: its arguments cannot be decoded.
    #[error("the server cannot decode the arguments: the client is broken or was built from another version")]
    Malformed,
    /// The server's: its method panicked. The server goes on.
    #[error(
        "the server panicked while it carried out the call, and goes on: report it to whoever wrote the server"
    )]
    Panicked,
    /// The server's: it carried the call out, and its answer does not fit into a message or cannot be encoded.
    #[error(
        "the server carried out the call, but its answer does not fit into a message of 1024 bytes and 4 capabilities: ask for less at once"
    )]
    Unanswerable,
}

impl Error {
    /// Turns the reason of a failed system call into an error that names the call.
    pub(crate) fn system(call: &'static str) -> impl FnOnce(rustix::io::Errno) -> Error {
        move |reason| Error::System { call, reason }
    }
}
