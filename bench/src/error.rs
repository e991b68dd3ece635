//! What can go wrong with a benchmark.

use portcullis_entrypoint as entrypoint;
use portcullis_ipc as ipc;
use portcullis_packet_stream as packet_stream;
use portcullis_rpc as rpc;
use portcullis_shm as shm;
use std::path::PathBuf;
use thiserror::Error;

/// A benchmark that could not be carried out.
///
/// ```
/// let error = portcullis_bench::Error::NoSuchCase { filter: "bath".into(), cases: vec!["both-awake/0".into()] };
/// assert!(error.to_string().contains("both-awake/0"), "the message says what there is");
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's: no case has a name like that.
    #[error("no case has `{filter}` in its name; there are: {}", cases.join(", "))]
    NoSuchCase {
        /// What was asked for.
        filter: String,
        /// All cases.
        cases: Vec<String>,
    },
    /// A call failed, most likely because the process on the other side has ended: its own message says why.
    #[error("a call of the benchmark failed, see the message of the other process if there is one: {0}")]
    Call(#[from] rpc::Error),
    /// The other process does nothing about what lies in the memory that it shares.
    #[error("the other process has not taken its turn for {seconds} s: was it stopped?")]
    Stalled {
        /// How long it was waited for.
        seconds: u64,
    },
    /// A packet stream failed.
    #[error("a packet stream of the benchmark failed: {0}")]
    Stream(#[from] packet_stream::Error),
    /// Somebody was told something that he does not understand.
    #[error("`{0}` is not understood: both sides must be the same build of the same program")]
    Misunderstood(&'static str),
    /// The system's: a system call failed.
    #[error("the system refused `{call}`: {reason}")]
    System {
        /// The call that failed.
        call: &'static str,
        /// The system's own reason.
        reason: rustix::io::Errno,
    },
    /// The plot cannot be written.
    #[error("the plot `{}` cannot be written ({reason}): give a path in a folder that exists", path.display())]
    Plot {
        /// Where it was to go.
        path: PathBuf,
        /// The system's own reason.
        reason: std::io::Error,
    },
}

impl From<ipc::Error> for Error {
    fn from(error: ipc::Error) -> Error {
        Error::Call(error.into())
    }
}

impl From<shm::Error> for Error {
    fn from(error: shm::Error) -> Error {
        Error::Stream(error.into())
    }
}

impl From<entrypoint::Error> for Error {
    fn from(error: entrypoint::Error) -> Error {
        Error::Call(error.into())
    }
}

/// What a component's method answers with: the failure in its own words.
impl From<Error> for rpc::Error {
    fn from(error: Error) -> rpc::Error {
        rpc::Error::Relayed(error.to_string())
    }
}

impl Error {
    /// Turns the reason of a failed system call into an error that names the call.
    pub(crate) fn system(call: &'static str) -> impl FnOnce(rustix::io::Errno) -> Error {
        move |reason| Error::System { call, reason }
    }

    /// The same for what the standard library says.
    pub(crate) fn io(call: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        move |error| Error::System {
            call,
            reason: rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::INVAL),
        }
    }
}
