//! Signals as a stream under tokio.

use crate::error::Error;
use crate::receiver::{SignalContext, SignalReceiver};
use crate::tokio::system;
use futures_core::Stream;
use std::future::poll_fn;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A [`SignalReceiver`] as a stream, for a task of the thread that made it: on a current-thread runtime or a `LocalSet`. It
/// never ends.
///
/// ```
/// use portcullis_entrypoint::SignalReceiver;
/// use portcullis_ipc::Pd;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
/// runtime.block_on(async {
///     let mut receiver = SignalReceiver::new(&Pd::new()?)?;
///     let (tick, clock) = receiver.manage()?;
///     let mut signals = receiver.into_stream()?;
///     let producer = std::thread::spawn(move || clock.submit());
///     assert_eq!(signals.next().await?, tick);
///     # producer.join().expect("it only submits");
///     Ok(())
/// })
/// # }
/// ```
#[derive(Debug)]
pub struct SignalStream {
    receiver: SignalReceiver,
    readiness: AsyncFd<OwnedFd>,
}

impl SignalReceiver {
    /// The receiver as a stream.
    ///
    /// # Errors
    /// [`Error::Transport`] if the system has no descriptor left.
    ///
    /// # Panics
    /// Outside of a tokio runtime whose I/O driver is enabled.
    pub fn into_stream(self) -> Result<SignalStream, Error> {
        let descriptor = self.as_fd().try_clone_to_owned().map_err(system)?;
        // Deprecated since a type may answer with another descriptor each time. An `OwnedFd` does not, and what is
        // recommended instead is unsafe.
        #[allow(deprecated)]
        let readiness = AsyncFd::with_interest(descriptor, Interest::READABLE).map_err(system)?;
        Ok(SignalStream { receiver: self, readiness })
    }
}

impl SignalStream {
    /// Waits for the next signal. Dropped before it is there, nothing is lost.
    ///
    /// # Errors
    /// As [`SignalReceiver::poll`].
    pub async fn next(&mut self) -> Result<SignalContext, Error> {
        poll_fn(|context| self.poll_signal(context)).await
    }

    /// The receiver, to make contexts and to end them.
    pub fn receiver(&mut self) -> &mut SignalReceiver {
        &mut self.receiver
    }

    fn poll_signal(&mut self, context: &mut Context<'_>) -> Poll<Result<SignalContext, Error>> {
        loop {
            // Before the first wait, too: from then on whoever submits rings.
            if let Some(signal) = self.receiver.poll()? {
                return Poll::Ready(Ok(signal));
            }
            // Cleared before the next look: what rings during that look is not overlooked.
            ready!(self.readiness.poll_read_ready(context)).map_err(system)?.clear_ready();
        }
    }
}

impl Stream for SignalStream {
    type Item = Result<SignalContext, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_signal(context).map(Some)
    }
}
