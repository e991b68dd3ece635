//! What the pool keeps: an object of any type with the interface that it is called through.

use crate::entrypoint::Entrypoint;
use crate::trace;
use portcullis_ipc::{self as ipc, MsgBuf, Refusal};
use portcullis_rpc::{Deferred, Outcome, Serves, serve};
use std::any::{Any, TypeId};
use std::marker::PhantomData;

/// What became of a call. One word, so that it stays in a register where nearly all calls are answered at once.
pub(crate) type Served = Result<(), Box<Unanswered>>;

/// A call whose answer is not there.
pub(crate) enum Unanswered {
    /// The result is promised for later.
    Yet(Deferred),
    /// There will be none.
    For(ipc::Error),
}

impl From<ipc::Error> for Box<Unanswered> {
    #[cold]
    fn from(error: ipc::Error) -> Self {
        Box::new(Unanswered::For(error))
    }
}

/// What is known of an object without having it.
pub(crate) struct Kind {
    /// The type that was managed.
    pub(crate) of: TypeId,
    /// The bytes that it lies within.
    pub(crate) size: usize,
}

/// A managed object.
pub(crate) trait Object {
    /// Its kind.
    fn kind(&self) -> &'static Kind;

    /// Carries out a call: arguments in `request`, result in `reply`.
    fn serve(&mut self, entrypoint: &Entrypoint, request: &mut MsgBuf, reply: &mut MsgBuf) -> Served;

    /// The object as it was managed.
    fn as_any(&mut self) -> &mut dyn Any;

    /// The object as it was managed, out of the pool.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// Nobody holds a capability to it any more.
    fn unreferenced(&mut self, entrypoint: &Entrypoint);
}

/// An object of type `T` that is called through the interface `I`.
pub(crate) struct Managed<I: ?Sized, T, F> {
    object: T,
    when_unreferenced: F,
    interface: PhantomData<fn() -> Box<I>>,
}

impl<I: ?Sized, T, F> Managed<I, T, F> {
    pub(crate) fn new(object: T, when_unreferenced: F) -> Managed<I, T, F> {
        Managed { object, when_unreferenced, interface: PhantomData }
    }
}

impl<I, T, F> Object for Managed<I, T, F>
where
    I: ?Sized + Serves<T>,
    T: 'static,
    F: FnMut(&mut T, &Entrypoint),
{
    fn kind(&self) -> &'static Kind {
        const { &Kind { of: TypeId::of::<T>(), size: size_of::<Self>() } }
    }

    fn serve(&mut self, entrypoint: &Entrypoint, request: &mut MsgBuf, reply: &mut MsgBuf) -> Served {
        let traced = trace::Dispatch::of::<I>(entrypoint, request);
        let result = serve::<I, T>(&mut self.object, request, reply);
        traced.replies(&result);
        match result {
            Ok(Outcome::Answered) => Ok(()),
            Ok(Outcome::Later(deferred)) => Err(Box::new(Unanswered::Yet(deferred))),
            Err(refusal) => Err(ipc::Error::Refused(refusal).into()),
        }
    }

    fn as_any(&mut self) -> &mut dyn Any {
        &mut self.object
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.object)
    }

    fn unreferenced(&mut self, entrypoint: &Entrypoint) {
        (self.when_unreferenced)(&mut self.object, entrypoint);
    }
}

/// An object without an interface, to which signals are bound.
pub(crate) struct Silent<T>(pub(crate) T);

impl<T: 'static> Object for Silent<T> {
    fn kind(&self) -> &'static Kind {
        const { &Kind { of: TypeId::of::<T>(), size: size_of::<T>() } }
    }

    fn serve(&mut self, _: &Entrypoint, _: &mut MsgBuf, _: &mut MsgBuf) -> Served {
        Err(ipc::Error::Refused(Refusal::UnknownMethod).into())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        &mut self.0
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.0)
    }

    fn unreferenced(&mut self, _: &Entrypoint) {}
}
