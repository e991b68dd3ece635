//! What can go wrong with a typed call, whose fault it is, and what to do.

use portcullis_ipc::{self as ipc, Refusal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error as ThisError;

/// A call that brought no answer. What the service itself answers, good or bad, is the method's own result.
///
/// It prints as who failed (`client`, `server` or `transport`), what happened, and what to do.
///
/// It can be part of a result, and then it arrives as [`Error::Relayed`], whatever it was: no answer of a server can
/// pose as a failure of the client's own transport.
///
/// ```
/// use portcullis_rpc::{Blame, Error};
///
/// let error = Error::ServerPanicked;
/// assert_eq!(error.blame(), Blame::Server);
/// assert!(error.to_string().starts_with("server: "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The object was dissolved, or the capability never named one.
    #[error("client: the capability is not valid, its object was dissolved; ask for a new one")]
    InvalidCapability,
    /// The server's interface has no such method.
    #[error(
        "client: the object has no such method, the interface here is newer than the server's; update the server \
         or do without the method"
    )]
    UnknownMethod,
    /// The object has another interface, or the method another signature there.
    #[error(
        "client: the object has another interface, or the method another signature there; build client and server \
         from the same interface"
    )]
    WrongInterface,
    /// The server cannot decode the arguments.
    #[error(
        "client: the server cannot decode the arguments; build client and server from the same argument types"
    )]
    Malformed,
    /// The arguments are larger than a message. Nothing was sent.
    #[error(
        "client: the arguments take {length} bytes and a message holds 1024; send less, or use a dataspace for bulk \
         data"
    )]
    MessageTooLarge {
        /// What they take, in bytes.
        length: usize,
    },
    /// The arguments hold more than 4 capabilities. Nothing was sent.
    #[error("client: the arguments hold more than 4 capabilities; delegate the others in a further call")]
    TooManyCapabilities,
    /// The `Serialize` of an argument failed. Nothing was sent.
    #[error(
        "client: an argument cannot be encoded, its own `Serialize` refuses; correct the argument's type"
    )]
    Unencodable,
    /// What this client may hold at the server is used up.
    #[error("client: the budget that the server grants to this client is used up; drop capabilities first")]
    BudgetExceeded,
    /// The call would have come back to an entrypoint that waits for it, directly or through others, or two entrypoints
    /// called each other at once. It was withdrawn and is not carried out.
    #[error(
        "client: the call would come back to an entrypoint that waits for it; let its object answer later (`Later`), \
         use `apply` on an object of the own entrypoint, or do without the call"
    )]
    CallCycle,
    /// The method panicked. The server goes on.
    #[error("server: it panicked while it carried out the call, and goes on; report it to whoever wrote it")]
    ServerPanicked,
    /// The method ran, and its result does not fit into a message or cannot be encoded.
    #[error(
        "server: it carried out the call, but the result does not fit into a message of 1024 bytes and 4 \
         capabilities; ask for less at once"
    )]
    Unanswerable,
    /// The result cannot be decoded.
    #[error("server: its result cannot be decoded; build client and server from the same result types")]
    MalformedResult,
    /// The server dropped the call.
    #[error("server: it dropped the call without an answer; try again or ask whoever wrote it")]
    Abandoned,
    /// An object of this very thread promised a result for later and has not delivered it.
    #[error("server: the result is promised for later and not here yet; let its entrypoint run")]
    NotYet,
    /// A failure that happened to the server while it worked for us, in the server's words: at most 512 bytes of them,
    /// so that they can be relayed further.
    #[error("server: a call of its own failed ({0}); see there")]
    Relayed(String),
    /// The server has ended, or has closed the channel.
    #[error("transport: the server has ended or closed the channel; open a new session")]
    Disconnected,
    /// No answer in time. The call may still be carried out.
    #[error(
        "transport: no answer before the deadline, the server is slow, stopped or hostile; allow more time"
    )]
    DeadlineExceeded,
    /// Too many calls at once through one channel.
    #[error("transport: the channel is busy; try again")]
    Busy,
    /// Anything else that the transport says.
    #[error("transport: {0}; {advice}", advice = advice(.0))]
    Transport(ipc::Error),
}

/// What to do about a failure of the transport that has no variant of its own.
fn advice(error: &ipc::Error) -> &'static str {
    match error {
        ipc::Error::Violation(_) => "do without this server, and report it to whoever wrote it",
        ipc::Error::ParentGone => "end as well",
        ipc::Error::System { .. } => "free what the system is short of, or allow more of it",
        _ => "try again, and report it if it stays so",
    }
}

/// Who failed.
///
/// ```
/// assert_eq!(portcullis_rpc::Blame::Server.to_string(), "server");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Whoever called.
    Client,
    /// Whoever was called.
    Server,
    /// What lies between, the death of the other side included.
    Transport,
}

impl std::fmt::Display for Blame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Blame::Client => "client",
            Blame::Server => "server",
            Blame::Transport => "transport",
        })
    }
}

impl Error {
    /// Who failed.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Error::InvalidCapability
            | Error::UnknownMethod
            | Error::WrongInterface
            | Error::Malformed
            | Error::MessageTooLarge { .. }
            | Error::TooManyCapabilities
            | Error::Unencodable
            | Error::BudgetExceeded
            | Error::CallCycle => Blame::Client,
            Error::ServerPanicked
            | Error::Unanswerable
            | Error::MalformedResult
            | Error::Abandoned
            | Error::NotYet
            | Error::Relayed(_) => Blame::Server,
            Error::Disconnected | Error::DeadlineExceeded | Error::Busy | Error::Transport(_) => {
                Blame::Transport
            }
        }
    }
}

impl From<ipc::Error> for Error {
    fn from(error: ipc::Error) -> Error {
        match error {
            ipc::Error::MessageTooLarge { length } => Error::MessageTooLarge { length },
            ipc::Error::TooManyCapabilities => Error::TooManyCapabilities,
            ipc::Error::InvalidCapability => Error::InvalidCapability,
            ipc::Error::Disconnected => Error::Disconnected,
            ipc::Error::DeadlineExceeded => Error::DeadlineExceeded,
            ipc::Error::Abandoned => Error::Abandoned,
            ipc::Error::BudgetExceeded => Error::BudgetExceeded,
            ipc::Error::Busy => Error::Busy,
            ipc::Error::CallCycle => Error::CallCycle,
            ipc::Error::Refused(Refusal::UnknownMethod) => Error::UnknownMethod,
            ipc::Error::Refused(Refusal::WrongInterface) => Error::WrongInterface,
            ipc::Error::Refused(Refusal::Malformed) => Error::Malformed,
            ipc::Error::Refused(Refusal::Panicked) => Error::ServerPanicked,
            ipc::Error::Refused(Refusal::Unanswerable) => Error::Unanswerable,
            other => Error::Transport(other),
        }
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is kept of a relayed failure, in bytes: each server on the way adds some of its own, and a message holds 1,024.
const MOST_RELAYED: usize = 512;

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut words = String::deserialize(deserializer)?;
        words.truncate(words.floor_char_boundary(MOST_RELAYED));
        Ok(Error::Relayed(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use portcullis_ipc::MsgBuf;

    /// One error of each variant. A variant that is missing here does not compile.
    macro_rules! one_of_each {
        ($($variant:pat => $error:expr,)+) => {
            fn one_of_each() -> Vec<Error> {
                let errors = vec![$($error),+];
                for error in &errors {
                    match error { $($variant => {})+ }
                }
                errors
            }
        };
    }
    one_of_each! {
        Error::InvalidCapability => Error::InvalidCapability,
        Error::UnknownMethod => Error::UnknownMethod,
        Error::WrongInterface => Error::WrongInterface,
        Error::Malformed => Error::Malformed,
        Error::MessageTooLarge { .. } => Error::MessageTooLarge { length: 1025 },
        Error::TooManyCapabilities => Error::TooManyCapabilities,
        Error::Unencodable => Error::Unencodable,
        Error::BudgetExceeded => Error::BudgetExceeded,
        Error::CallCycle => Error::CallCycle,
        Error::ServerPanicked => Error::ServerPanicked,
        Error::Unanswerable => Error::Unanswerable,
        Error::MalformedResult => Error::MalformedResult,
        Error::Abandoned => Error::Abandoned,
        Error::NotYet => Error::NotYet,
        Error::Relayed(_) => Error::Relayed("of its own".into()),
        Error::Disconnected => Error::Disconnected,
        Error::DeadlineExceeded => Error::DeadlineExceeded,
        Error::Busy => Error::Busy,
        Error::Transport(_) => Error::Transport(ipc::Error::ParentGone),
    }

    #[test]
    fn every_error_names_who_failed_and_what_to_do() {
        let of_the_transport =
            [ipc::Error::Violation("it is the test's"), ipc::Error::CallerGone, ipc::Error::NotSpawned];
        for error in one_of_each().into_iter().chain(of_the_transport.map(Error::Transport)) {
            let text = error.to_string();
            assert!(text.starts_with(&format!("{}: ", error.blame())), "{text}");
            // What happened comes first, then what to do, which is a clause of its own.
            let (what, to_do) = text.rsplit_once("; ").expect(&text);
            assert!(what.len() > error.blame().to_string().len() + 2, "{text}");
            assert!(to_do.len() >= "try again".len() || to_do == "see there", "{text}");
        }
    }

    #[test]
    fn every_error_has_its_line_in_the_docs() {
        let page = include_str!("../../docs/rpc.md");
        for error in one_of_each() {
            let debug = format!("{error:?}");
            let name = debug.split(|char: char| !char.is_alphanumeric()).next().unwrap();
            let line = format!("\n| `{name}` | {} |", error.blame());
            assert!(page.contains(&line), "{line}");
        }
    }

    #[test]
    fn every_error_of_a_peer_arrives_as_relayed() {
        for error in one_of_each() {
            let bytes = postcard::to_stdvec(&error).unwrap();
            let back: Error = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(back, Error::Relayed(error.to_string()));
        }
    }

    /// Found by the fuzz target `shapes`: what came in a message did not fit into one any more.
    #[test]
    fn however_often_an_error_is_relayed_it_fits_into_a_message() {
        let mut message = MsgBuf::new();
        codec::encode(&"ü".repeat(511), &mut message).unwrap();
        for _ in 0..100 {
            let error: Error = codec::decode(&mut message).unwrap();
            message.clear();
            codec::encode(&error, &mut message).unwrap();
            assert!(message.data().len() < 600);
        }
    }
}
