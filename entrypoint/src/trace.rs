//! Trace points of the serving side, for the feature `trace`; without it they are empty.
//!
//! A call that is served is a span `dispatch` with the fields `interface`, `method`, `opcode` and `object`, the slot
//! of its badge. It ends with an event `reply`, whose `outcome` is `answered`, `later`, `panicked`, or says why the
//! call was refused. A call that reaches no object is not seen here, and its caller sees why.
//!
//! The handler of a signal runs within a span `signal` with the fields `context` and `object`, the slots of their badges.

use crate::entrypoint::Entrypoint;
use portcullis_ipc::{Badge, MsgBuf, Refusal};
use portcullis_rpc::{Interface, Outcome};

#[cfg(feature = "trace")]
use crate::turn::Turn;
#[cfg(feature = "trace")]
use portcullis_ipc as ipc;

/// A call that is being served.
#[cfg(feature = "trace")]
pub(crate) struct Dispatch {
    _span: tracing::span::EnteredSpan,
    has_replied: bool,
}

#[cfg(feature = "trace")]
impl Dispatch {
    /// Served by the object whose turn it is.
    #[inline]
    pub(crate) fn of<I: ?Sized + Interface>(entrypoint: &Entrypoint, request: &MsgBuf) -> Dispatch {
        let opcode = request.opcode();
        let method = usize::try_from(opcode).ok().and_then(|opcode| I::METHODS.get(opcode));
        let (interface, method) = (I::NAME, method.copied().unwrap_or("unknown"));
        let object = match entrypoint.0.turn.get() {
            Turn::Objects(badge) => Some(badge.slot()),
            Turn::Nobodys | Turn::Others => None,
        };
        let span = tracing::trace_span!(target: "portcullis", "dispatch", interface, method, opcode, object);
        Dispatch { _span: span.entered(), has_replied: false }
    }

    /// The method has returned, or was not called.
    #[inline]
    pub(crate) fn replies(mut self, result: &Result<Outcome, Refusal>) {
        self.has_replied = true;
        match result {
            Ok(Outcome::Answered) => tracing::trace!(target: "portcullis", outcome = "answered", "reply"),
            Ok(Outcome::Later(_)) => tracing::trace!(target: "portcullis", outcome = "later", "reply"),
            Err(refusal) => {
                tracing::trace!(target: "portcullis", outcome = %ipc::Error::Refused(*refusal), "reply");
            }
        }
    }
}

#[cfg(feature = "trace")]
impl Drop for Dispatch {
    fn drop(&mut self) {
        if !self.has_replied {
            tracing::trace!(target: "portcullis", outcome = "panicked", "reply");
        }
    }
}

/// The handler of a signal runs.
#[cfg(feature = "trace")]
pub(crate) struct Signal {
    _span: tracing::span::EnteredSpan,
}

#[cfg(feature = "trace")]
impl Signal {
    #[inline]
    pub(crate) fn of(context: Badge, object: Badge) -> Signal {
        let (context, object) = (context.slot(), object.slot());
        let span = tracing::trace_span!(target: "portcullis", "signal", context, object);
        Signal { _span: span.entered() }
    }
}

/// Nothing.
#[cfg(not(feature = "trace"))]
pub(crate) struct Signal;

#[cfg(not(feature = "trace"))]
impl Signal {
    #[inline(always)]
    pub(crate) fn of(_: Badge, _: Badge) -> Signal {
        Signal
    }
}

/// Nothing.
#[cfg(not(feature = "trace"))]
pub(crate) struct Dispatch;

#[cfg(not(feature = "trace"))]
const _: () = assert!(size_of::<Dispatch>() == 0 && !std::mem::needs_drop::<Dispatch>());

#[cfg(not(feature = "trace"))]
impl Dispatch {
    #[inline(always)]
    #[allow(clippy::extra_unused_type_parameters)] // the same as with the feature
    pub(crate) fn of<I: ?Sized + Interface>(_: &Entrypoint, _: &MsgBuf) -> Dispatch {
        Dispatch
    }

    #[inline(always)]
    pub(crate) fn replies(self, _: &Result<Outcome, Refusal>) {}
}
