//! Clients: local proxies of remote objects.

use crate::answer::{Answer, Fallible};
use crate::buffers::with_buffers;
use crate::capability::Capability;
use crate::codec;
use crate::error::Error;
use crate::interface::{Derives, Interface};
use crate::trace;
use portcullis_ipc::{Deadline, MsgBuf};
use serde::Serialize;
use std::fmt;

/// A local proxy of an object: implements the object's own interface, by calls through a capability.
///
/// A call waits for the answer: for the default time of the protection domain that the capability came through, or
/// for as long as [`with_deadline`](Self::with_deadline) says. The asynchronous twin of a method returns a
/// [`Calling`](crate::Calling) for a task to wait for, with the same deadline.
pub struct Client<I: ?Sized> {
    capability: Capability<I>,
    deadline: Option<Deadline>,
}

/// The methods that a client has besides those of its interface, and which would hide them: `rpc_interface` refuses
/// methods of these names.
impl<I: ?Sized + Interface> Client<I> {
    /// A client that calls through the capability.
    #[must_use]
    pub fn new(capability: Capability<I>) -> Self {
        Client { capability, deadline: None }
    }

    /// The same client with a time limit of its own for each call.
    #[must_use]
    pub fn with_deadline(self, deadline: Deadline) -> Self {
        Client { deadline: Some(deadline), ..self }
    }

    /// What each of its calls may take, if that was said.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// The capability that it calls through.
    #[must_use]
    pub fn capability(&self) -> &Capability<I> {
        &self.capability
    }

    /// The same client through an interface that this one derives from.
    #[must_use]
    pub fn upcast<B: ?Sized>(self) -> Client<B>
    where
        I: Derives<B>,
    {
        Client { capability: self.capability.upcast(), deadline: self.deadline }
    }
}

/// How a call is waited for.
pub trait Way {
    /// What it answers with.
    type Output<R>;

    /// Calls a method.
    fn call<I, A, R, S>(client: &Client<I>, opcode: usize, arguments: &A) -> Self::Output<R>
    where
        I: ?Sized + Interface,
        A: Serialize,
        R: Answer<S> + Fallible;
}

/// The calling thread waits.
#[derive(Debug)]
pub enum Blocking {}

/// Calls a method: what the generated proxies do. The arguments are encoded once, into the private message.
///
/// One function for a method and for its twin, so that the compiler says only once what is wrong with their types.
#[inline]
pub fn call<W, I, A, R, S>(client: &Client<I>, opcode: usize, arguments: &A) -> W::Output<R>
where
    W: Way,
    I: ?Sized + Interface,
    A: Serialize,
    R: Answer<S> + Fallible,
{
    W::call(client, opcode, arguments)
}

impl Way for Blocking {
    type Output<R> = R;

    #[inline]
    fn call<I, A, R, S>(client: &Client<I>, opcode: usize, arguments: &A) -> R
    where
        I: ?Sized + Interface,
        A: Serialize,
        R: Answer<S> + Fallible,
    {
        let traced = trace::Call::of::<I>(opcode);
        let result = with_buffers(|send, receive| {
            exchange(client, opcode, arguments, send, receive)?;
            R::receive(receive)
        });
        traced.returned(result.as_ref().err());
        result.unwrap_or_else(R::failed)
    }
}

#[inline]
fn exchange<I, A>(
    client: &Client<I>,
    opcode: usize,
    arguments: &A,
    send: &mut MsgBuf,
    receive: &mut MsgBuf,
) -> Result<(), Error>
where
    I: ?Sized + Interface,
    A: Serialize,
{
    prepare::<I, A>(opcode, arguments, send)?;
    let untyped = client.capability.untyped();
    match client.deadline {
        None => untyped.call(send, receive)?,
        Some(deadline) => untyped.call_with(send, receive, deadline)?,
    }
    Ok(())
}

/// Makes a message of a call.
#[inline]
pub(crate) fn prepare<I, A>(opcode: usize, arguments: &A, send: &mut MsgBuf) -> Result<(), Error>
where
    I: ?Sized + Interface,
    A: Serialize,
{
    let number = u32::try_from(opcode).map_err(|_| Error::UnknownMethod)?;
    let link = *I::CHAIN.get(opcode).ok_or(Error::UnknownMethod)?;
    codec::encode(arguments, send)?;
    send.set_method(number, link);
    Ok(())
}

impl<I: ?Sized> Clone for Client<I> {
    fn clone(&self) -> Self {
        Client { capability: self.capability.clone(), deadline: self.deadline }
    }
}

impl<I: ?Sized + Interface> fmt::Debug for Client<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("capability", &self.capability)
            .field("deadline", &self.deadline)
            .finish()
    }
}
