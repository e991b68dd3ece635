//! Trace points of the calling side, for the feature `trace`; without it they are empty.
//!
//! A call, by a thread or by a task, is a span `call` with the fields `interface`, `method` and `opcode`, within the span that is current: that
//! of the call that is being served, if a method calls. It ends with an event `returned`, whose `outcome` is
//! `answered` or says why there is no answer. A signal that is submitted is an event `submit` in the current span.

use crate::error::Error;
use crate::interface::Interface;

/// A call under way. It may move to another thread.
#[cfg(feature = "trace")]
pub(crate) struct Call(tracing::Span);

#[cfg(feature = "trace")]
impl Call {
    #[inline]
    pub(crate) fn of<I: ?Sized + Interface>(opcode: usize) -> Call {
        let (interface, method) = (I::NAME, I::METHODS.get(opcode).copied().unwrap_or("unknown"));
        Call(tracing::trace_span!(target: "portcullis", "call", interface, method, opcode))
    }

    /// It is over, one way or the other.
    #[inline]
    pub(crate) fn returned(self, failure: Option<&Error>) {
        let span = &self.0;
        match failure {
            None => {
                tracing::trace!(target: "portcullis", parent: span, outcome = "answered", "returned");
            }
            Some(error) => {
                tracing::trace!(target: "portcullis", parent: span, outcome = %error, "returned");
            }
        }
    }
}

/// A signal is submitted.
#[inline(always)]
pub(crate) fn submit() {
    #[cfg(feature = "trace")]
    tracing::trace!(target: "portcullis", "submit");
}

/// Nothing.
#[cfg(not(feature = "trace"))]
pub(crate) struct Call;

#[cfg(not(feature = "trace"))]
const _: () = assert!(size_of::<Call>() == 0 && !std::mem::needs_drop::<Call>());

#[cfg(not(feature = "trace"))]
impl Call {
    #[inline(always)]
    #[allow(clippy::extra_unused_type_parameters)] // the same as with the feature
    pub(crate) fn of<I: ?Sized + Interface>(_: usize) -> Call {
        Call
    }

    #[inline(always)]
    pub(crate) fn returned(self, _: Option<&Error>) {}
}
