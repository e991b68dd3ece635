//! What a method may return.

use crate::codec;
use crate::error::Error;
use crate::serve::Outcome;
use crate::shape::{As, Decode, Encode};
use portcullis_ipc::{MsgBuf, Refusal};

/// A method's return type: one that can say that there was no answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot report that a call failed",
    label = "not a result that can hold a `portcullis_rpc::Error`",
    note = "a method of an RPC interface returns `Result<T, E>` where `E: From<portcullis_rpc::Error>`, or `Later` of such a result"
)]
pub trait Fallible {
    /// The call failed.
    fn failed(error: Error) -> Self;
}

// Without this the compiler would ask for `E: From<Error>` in its own words.
#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> Fallible for Result<T, E> {
    fn failed(error: Error) -> Self {
        Err(error.into())
    }
}

/// A return type with its way into a reply and out of it, in the shape `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a method of an RPC interface returns",
    label = "neither `Result` nor `Later`"
)]
pub trait Answer<S>: Sized {
    /// Puts a method's result into the reply.
    ///
    /// # Errors
    /// [`Refusal::Unanswerable`] if it does not fit.
    fn send(self, reply: &mut MsgBuf) -> Result<Outcome, Refusal>;

    /// Takes the result out of a reply.
    ///
    /// # Errors
    /// [`Error::MalformedResult`] if it is none.
    fn receive(reply: &mut MsgBuf) -> Result<Self, Error>;
}

impl<T, E, S> Answer<S> for Result<T, E>
where
    S: Encode<Result<T, E>> + for<'de> Decode<'de, Result<T, E>>,
{
    #[inline]
    fn send(self, reply: &mut MsgBuf) -> Result<Outcome, Refusal> {
        codec::encode(&As::<_, S>::new(self), reply).map_err(|_| Refusal::Unanswerable)?;
        Ok(Outcome::Answered)
    }

    #[inline]
    fn receive(reply: &mut MsgBuf) -> Result<Self, Error> {
        let result: As<Self, S> = codec::decode(reply).map_err(|_| Error::MalformedResult)?;
        Ok(result.value)
    }
}
