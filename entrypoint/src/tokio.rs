//! Serving under tokio.

use crate::entrypoint::Entrypoint;
use crate::error::Error;
use portcullis_ipc as ipc;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

impl Entrypoint {
    /// Serves as [`run`](Self::run), as a task among others of its thread: on a current-thread runtime or a
    /// `LocalSet`, since an entrypoint stays on its thread. It can be cancelled between handlers and called again.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Panics
    /// Outside of a tokio runtime whose I/O driver is enabled.
    pub async fn serve(&self) -> Result<(), Error> {
        // Deprecated since a type may answer with another descriptor each time. An `OwnedFd` does not, and what is
        // recommended instead is unsafe.
        #[allow(deprecated)]
        let readiness = AsyncFd::with_interest(self.readiness()?, Interest::READABLE).map_err(system)?;
        loop {
            // Before the first wait, too: from then on whoever wants something rings.
            self.dispatch_ready()?;
            if self.0.stopped.take() {
                return Ok(());
            }
            let (mut readable, mut filled) = (pin!(readiness.readable()), pin!(self.0.outbox.filled()));
            let rung = poll_fn(|context| match filled.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => readable.as_mut().poll(context).map(Some),
            });
            // Cleared before the next look: what rings during that look is not overlooked.
            if let Some(rung) = rung.await {
                rung.map_err(system)?.clear_ready();
            }
        }
    }
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` wants it
pub(crate) fn system(error: std::io::Error) -> Error {
    let reason = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO);
    Error::Transport(ipc::Error::System { call: "epoll_ctl", reason })
}
