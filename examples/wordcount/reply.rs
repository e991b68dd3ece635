//! The form of an answer: one byte that says whether it was done, then the result.

use portcullis_ipc::{Capability, Deadline, Error, MsgBuf};

/// The first byte of an answer to what was done.
const DONE: u8 = 0;

/// Why an object did not do what it was asked for. The caller's mistake.
///
/// ```
/// use portcullis_examples::wordcount::Refusal;
///
/// assert_eq!(Refusal::Exhausted.to_string(), "it has no room for another object: close one first");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub enum Refusal {
    /// The object has no method of that number.
    #[error("it has no such method")]
    UnknownMethod = 1,
    /// The arguments are not those of the method.
    #[error("the arguments are not those of the method")]
    Malformed = 2,
    /// As many objects as the component makes are in use.
    #[error("it has no room for another object: close one first")]
    Exhausted = 3,
    /// It does that once only, and has begun.
    #[error("it has begun already")]
    Begun = 4,
}

impl Refusal {
    fn decode(value: u8) -> Option<Refusal> {
        [Refusal::UnknownMethod, Refusal::Malformed, Refusal::Exhausted, Refusal::Begun]
            .into_iter()
            .find(|refusal| *refusal as u8 == value)
    }
}

/// Why a call brought no result.
///
/// ```
/// use portcullis_examples::wordcount::{Failure, Refusal};
///
/// let failure = Failure::from(Refusal::UnknownMethod);
/// assert_eq!(failure.to_string(), "the object refused: it has no such method");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There was no answer.
    #[error(transparent)]
    Call(#[from] Error),
    /// The answer was no.
    #[error("the object refused: {0}")]
    Refused(#[from] Refusal),
    /// The object's mistake: the answer makes no sense.
    #[error("the object's answer makes no sense")]
    Malformed,
}

/// Makes `message` the answer "done", to which the result can be appended.
pub(super) fn done(message: &mut MsgBuf) -> Result<(), Error> {
    message.clear();
    message.write(&[DONE])
}

/// Makes `message` the answer "refused".
pub(super) fn refused(message: &mut MsgBuf, refusal: Refusal) -> Result<(), Error> {
    message.clear();
    message.write(&[refusal as u8])
}

/// Calls, and answers with the result's bytes.
pub(super) fn call<'a>(
    capability: &Capability,
    send: &MsgBuf,
    receive: &'a mut MsgBuf,
    deadline: Option<Deadline>,
) -> Result<&'a [u8], Failure> {
    match deadline {
        Some(deadline) => capability.call_with(send, receive, deadline)?,
        None => capability.call(send, receive)?,
    }
    match receive.data().split_first().ok_or(Failure::Malformed)? {
        (&DONE, result) => Ok(result),
        (&refusal, []) => Err(Refusal::decode(refusal).map_or(Failure::Malformed, Failure::Refused)),
        _ => Err(Failure::Malformed),
    }
}
