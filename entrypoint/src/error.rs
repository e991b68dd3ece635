//! What an entrypoint can refuse to whoever holds it.

use portcullis_ipc as ipc;
use portcullis_rpc as rpc;
use thiserror::Error as ThisError;

/// Why an entrypoint does not do what it is asked for. What happens between a client and an object is none of it:
/// that is told to the client.
///
/// It converts to [`portcullis_rpc::Error`], so that methods can use `?`.
///
/// ```
/// # fn main() -> Result<(), portcullis_entrypoint::Error> {
/// use portcullis_entrypoint::{Entrypoint, Error};
/// use portcullis_ipc::Pd;
///
/// let entrypoint = Entrypoint::new(&Pd::new()?)?;
/// let handle = entrypoint.handle();
/// drop(entrypoint);
/// assert_eq!(handle.post(|_| ()), Err(Error::Ended));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The capability names no object of this entrypoint: it is somebody else's, or the object was dissolved.
    #[error(
        "the capability names no object of this entrypoint: it is another's, or the object was dissolved"
    )]
    NotManaged,
    /// The object has another type than it was asked for.
    #[error("the object is no `{expected}`: apply the type that was managed")]
    WrongType {
        /// The type that it was asked for.
        expected: &'static str,
    },
    /// A method of the object runs at this very moment, further up the stack.
    #[error("the object is at work, further up the stack: do it when its method has returned")]
    Busy,
    /// What a handler lends while it waits is not the object whose handler it is.
    #[error("what is lent is not the object whose handler waits: lend `self`")]
    NotLent,
    /// A handler cannot run the entrypoint that runs it.
    #[error("the entrypoint runs already and this is one of its handlers: return, and it goes on")]
    Nested,
    /// The entrypoint has ended.
    #[error("the entrypoint has ended")]
    Ended,
    /// The entrypoint's own thread cannot wait for itself.
    #[error("this is the entrypoint's own thread, which would wait for itself: use the entrypoint directly")]
    OwnThread,
    /// The entrypoint did not come to it in time; it may still.
    #[error("the entrypoint did not come to it before the deadline: it does not run, or a handler is slow")]
    DeadlineExceeded,
    /// What was to be done panicked. The entrypoint goes on.
    #[error("what the entrypoint was given to do panicked")]
    Panicked,
    /// The transport's.
    #[error(transparent)]
    Transport(#[from] ipc::Error),
}

impl From<Error> for rpc::Error {
    fn from(error: Error) -> rpc::Error {
        match error {
            Error::NotManaged => rpc::Error::InvalidCapability,
            Error::WrongType { .. } => rpc::Error::WrongInterface,
            Error::Busy | Error::Nested | Error::NotLent | Error::OwnThread => rpc::Error::Busy,
            Error::Ended => rpc::Error::Disconnected,
            Error::DeadlineExceeded => rpc::Error::DeadlineExceeded,
            Error::Panicked => rpc::Error::ServerPanicked,
            Error::Transport(error) => error.into(),
        }
    }
}
