//! Signals for threads that are no entrypoint.

use crate::error::Error;
use portcullis_ipc::{self as ipc, Badge, Deadline, Event, Limits, MsgBuf, Pd, Server, SignalLevel};
use portcullis_rpc::SignalCapability;
use std::fmt;

/// One of the signal contexts of a [`SignalReceiver`]: tells its signals from those of the others.
///
/// ```
/// use portcullis_entrypoint::SignalReceiver;
/// use portcullis_ipc::Pd;
///
/// let mut receiver = SignalReceiver::new(&Pd::new()?)?;
/// let (one, _capability) = receiver.manage()?;
/// let (other, _capability) = receiver.manage()?;
/// assert_ne!(one, other);
/// # Ok::<_, portcullis_entrypoint::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalContext(Badge);

/// Receives signals on a thread that is no entrypoint: blocks for the next one, looks whether there is one, or is a
/// stream under tokio (`into_stream`, with the feature `tokio`).
///
/// It stays on the thread that made it. What it answers is which context has a signal; several submits may be one
/// signal. When it is dropped, submits to its contexts do nothing.
///
/// ```
/// use portcullis_entrypoint::SignalReceiver;
/// use portcullis_ipc::{Deadline, Pd};
///
/// # fn main() -> Result<(), portcullis_entrypoint::Error> {
/// let mut receiver = SignalReceiver::new(&Pd::new()?)?;
/// let (timeout, fire) = receiver.manage()?;
/// let (input, key) = receiver.manage()?;
/// assert_eq!(receiver.poll()?, None);
/// let producer = std::thread::spawn(move || {
///     key.submit();
///     key
/// });
/// assert_eq!(receiver.wait(Deadline::Never)?, input);
/// fire.submit();
/// assert_eq!(receiver.wait(Deadline::Never)?, timeout);
/// # producer.join().expect("it only submits");
/// # Ok(()) }
/// ```
pub struct SignalReceiver {
    server: Server,
    /// For calls, which nobody makes: there is no object.
    message: Box<MsgBuf>,
}

impl SignalReceiver {
    /// A receiver of the calling thread, with default limits for those who submit.
    ///
    /// # Errors
    /// [`Error::Transport`] if the system refuses the descriptors that it needs.
    pub fn new(pd: &Pd) -> Result<SignalReceiver, Error> {
        SignalReceiver::with(pd, Limits::default())
    }

    /// A receiver of the calling thread that grants each of those who submit at most what the limits say.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with(pd: &Pd, limits: Limits) -> Result<SignalReceiver, Error> {
        Ok(SignalReceiver { server: Server::with(pd, limits)?, message: Box::default() })
    }

    /// Makes a signal context: one for each source. Answers with it, and with the right to submit signals to it.
    ///
    /// # Errors
    /// [`Error::Transport`] if there are 2³¹ contexts at once.
    pub fn manage(&mut self) -> Result<(SignalContext, SignalCapability), Error> {
        let (badge, capability) = self.server.mint_context(SignalLevel::Application)?;
        Ok((SignalContext(badge), SignalCapability::from_untyped(capability)))
    }

    /// Ends a signal context: it is not answered any more, and what is submitted to it, wherever, does nothing.
    /// Nothing of it is lent to anybody, so there is nobody to wait for.
    pub fn dissolve(&mut self, context: SignalContext) {
        self.server.dissolve(context.0);
    }

    /// Waits for the next signal until the deadline. The contexts take turns.
    ///
    /// # Errors
    /// [`Error::DeadlineExceeded`], or [`Error::Transport`] if the system fails us.
    pub fn wait(&mut self, deadline: Deadline) -> Result<SignalContext, Error> {
        let end = deadline.instant();
        loop {
            let left = end.map_or(Deadline::Never, |end| {
                Deadline::After(end.saturating_duration_since(std::time::Instant::now()))
            });
            let event = self.server.next(&mut self.message, left).map_err(|error| match error {
                ipc::Error::DeadlineExceeded => Error::DeadlineExceeded,
                error => Error::Transport(error),
            })?;
            if let Some(context) = context_of(&event) {
                return Ok(context);
            }
        }
    }

    /// The next signal, if there is one now. `None` says that the receiver's descriptor (`AsFd`) will poll readable
    /// when there is one again.
    ///
    /// # Errors
    /// [`Error::Transport`] if the system fails us.
    pub fn poll(&mut self) -> Result<Option<SignalContext>, Error> {
        while let Some(event) = self.server.try_next(&mut self.message)? {
            if let Some(context) = context_of(&event) {
                return Ok(Some(context));
            }
        }
        Ok(None)
    }
}

/// That of a signal; anything else is passed over.
fn context_of(event: &Event) -> Option<SignalContext> {
    match event {
        Event::Signal(badge) => Some(SignalContext(*badge)),
        Event::Call(_) | Event::Woken | Event::Unreferenced(_) => None,
    }
}

/// Polls readable when [`poll`](SignalReceiver::poll) may have a signal, once that has answered `None`. Good for
/// nothing else.
impl std::os::fd::AsFd for SignalReceiver {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.server.as_fd()
    }
}

impl fmt::Debug for SignalReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalReceiver").field("usage", &self.server.usage()).finish_non_exhaustive()
    }
}
