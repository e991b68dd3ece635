//! The serving side: from a message to a method and back.

use crate::interface::Interface;
use crate::later::Deferred;
use portcullis_ipc::{MsgBuf, Refusal};

/// An interface that objects of type `T` can be called through: implemented for `dyn Trait` and every `T: Trait` by
/// [`rpc_interface`](crate::rpc_interface).
pub trait Serves<T: ?Sized>: Interface {
    /// Carries out the method with that opcode; the link has been checked. Arguments borrow from `request`, the
    /// result goes into `reply`, which is empty.
    ///
    /// # Errors
    /// A [`Refusal`] if the method was not carried out, or its result does not fit. `reply` is of no use then.
    fn dispatch(
        object: &mut T,
        opcode: usize,
        request: &mut MsgBuf,
        reply: &mut MsgBuf,
    ) -> Result<Outcome, Refusal>;
}

/// How a method that was carried out answers.
#[derive(Debug)]
#[must_use = "a result that was promised for later needs its caller"]
pub enum Outcome {
    /// At once: the reply is complete.
    Answered,
    /// Later: whoever dispatches gives the caller away with [`Deferred::bind`].
    Later(Deferred),
}

/// Carries out a call to an object: checks that both sides mean the same method, dispatches, and leaves the result
/// in `reply`.
///
/// A panic of the method passes through.
///
/// # Errors
/// A [`Refusal`], to be sent with [`Server::refuse`](portcullis_ipc::Server::refuse).
#[inline]
pub fn serve<I, T>(object: &mut T, request: &mut MsgBuf, reply: &mut MsgBuf) -> Result<Outcome, Refusal>
where
    I: ?Sized + Serves<T>,
    T: ?Sized,
{
    let opcode = usize::try_from(request.opcode()).map_err(|_| Refusal::UnknownMethod)?;
    match I::CHAIN.get(opcode) {
        None => return Err(Refusal::UnknownMethod),
        Some(link) if *link != request.link() => return Err(Refusal::WrongInterface),
        Some(_) => reply.clear(),
    }
    I::dispatch(object, opcode, request, reply)
}
