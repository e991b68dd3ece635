//! Streams driven by asynchronous tasks, under tokio.

use crate::control::Control;
use crate::error::Error;
use crate::packet::{Packet, Received};
use crate::port::Port;
use crate::sink::{Sink, Unacknowledged};
use crate::socket::SignalSocket;
use crate::source::{Acknowledged, Source, Unsubmitted};
use std::future::poll_fn;
use std::task::Poll;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A source whose task waits for the sink's signals on a socket. What it does not have itself is found at
/// [`source`](Self::source).
///
/// ```
/// use portcullis_packet_stream::{AsyncSink, AsyncSource, Geometry, SignalSocket, Sink, Source};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis_packet_stream::Error> {
/// let geometry = Geometry::new(4, 4, 4096)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<u32>())?;
/// let source = Source::<u32>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let sink = Sink::<u32>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let (ours, theirs) = SignalSocket::pair()?;
/// let mut source = AsyncSource::new(source, ours)?;
/// let mut sink = AsyncSink::new(sink, theirs)?;
/// let packet = source.source().alloc(1)?;
/// source.submit(packet, 7).await?;
/// source.source().wakeup()?;
/// let received = sink.get().await?;
/// sink.acknowledge(received, 8).await?;
/// sink.sink().wakeup()?;
/// assert_eq!(source.acknowledged().await?.answered, 8);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncSource<D: Control> {
    source: Source<D>,
    socket: AsyncFd<SignalSocket>,
}

/// A sink whose task waits for the source's signals on a socket. [`AsyncSource`] has an example.
///
/// ```
/// use portcullis_packet_stream::{AsyncSink, Control, Error};
///
/// async fn swallow<D: Control>(sink: &mut AsyncSink<D>) -> Result<(), Error> {
///     loop {
///         let received = sink.get().await?;
///         let answer = received.control();
///         sink.acknowledge(received, answer).await?;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct AsyncSink<D: Control> {
    sink: Sink<D>,
    socket: AsyncFd<SignalSocket>,
}

/// Registers a socket with the runtime that this is called in.
fn register(socket: SignalSocket) -> Result<AsyncFd<SignalSocket>, Error> {
    // Deprecated since a type may answer with another descriptor each time. A `SignalSocket` does not, and what is
    // recommended instead is unsafe.
    #[allow(deprecated)]
    AsyncFd::with_interest(socket, Interest::READABLE).map_err(|error| Error::System {
        call: "epoll_ctl",
        reason: rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::INVAL),
    })
}

/// Waits until signals have come, and takes them, or the other side is gone. Whoever waits has found nothing before and looks
/// again after.
async fn signalled(port: &mut Port, socket: &AsyncFd<SignalSocket>) -> Result<(), Error> {
    loop {
        // Moved into what is polled: a port can go to another thread, but no two have it.
        let port = &mut *port;
        let ready = poll_fn(move |context| {
            // In this order: see `replace_task`.
            port.shared.replace_task(Some(context.waker().clone()));
            match port.gone() {
                Some(gone) => Poll::Ready(Err(gone)),
                None => socket.poll_read_ready(context).map_err(|_| Error::Disconnected),
            }
        });
        let mut guard = ready.await?;
        // Emptied before the next look at the queues, and forgotten only when it is empty: a signal that comes later
        // makes it readable again.
        if socket.get_ref().take()? {
            return Ok(());
        }
        guard.clear_ready();
    }
}

impl<D: Control> AsyncSource<D> {
    /// Signals both ways go over this socket from now on, whose other end is the sink's.
    ///
    /// # Errors
    /// [`Error::System`].
    ///
    /// # Panics
    /// Outside of a runtime with its I/O driver enabled, as all of tokio does.
    pub fn new(mut source: Source<D>, socket: SignalSocket) -> Result<AsyncSource<D>, Error> {
        source.set_handler(socket.clone());
        Ok(AsyncSource { source, socket: register(socket)? })
    }

    /// The source itself: to allocate, to fill, to release, and to wake the sink.
    pub fn source(&mut self) -> &mut Source<D> {
        &mut self.source
    }

    /// Submits a packet, and waits for room in the queue if need be. Shows and tells first what was done so far.
    ///
    /// If the future is dropped before it is done, the packet's region is free again.
    ///
    /// # Errors
    /// As of [`Source::submit`], without deadline: [`Error::Disconnected`] if the sink's end of the socket is closed.
    pub async fn submit(&mut self, packet: Packet, control: D) -> Result<(), Unsubmitted> {
        let (mut packet, mut gone) = (packet, None);
        loop {
            packet = match self.source.try_submit(packet, control) {
                Err(full) if full.reason == Error::QueueFull => full.packet,
                done => return done,
            };
            if let Some(reason) = gone {
                return Err(Unsubmitted { packet, reason });
            }
            gone = wait_for_room(&mut self.source.port, &self.socket).await.err();
        }
    }

    /// Takes an acknowledgement, and waits for one if need be. Shows and tells first what was done so far. Dropping the
    /// future loses nothing.
    ///
    /// # Errors
    /// As of [`Source::acknowledged`], without deadline.
    pub async fn acknowledged(&mut self) -> Result<Acknowledged<D>, Error> {
        loop {
            if let Some(acknowledged) = self.source.try_acknowledged()? {
                return Ok(acknowledged);
            }
            if let Err(gone) = wait(self.source.wakeup(), &mut self.source.port, &self.socket).await {
                // What it did before it went.
                return self.source.try_acknowledged()?.ok_or(gone);
            }
        }
    }
}

impl<D: Control> AsyncSink<D> {
    /// Signals both ways go over this socket from now on, whose other end is the source's.
    ///
    /// # Errors
    /// [`Error::System`].
    ///
    /// # Panics
    /// Outside of a runtime with its I/O driver enabled, as all of tokio does.
    pub fn new(mut sink: Sink<D>, socket: SignalSocket) -> Result<AsyncSink<D>, Error> {
        sink.set_handler(socket.clone());
        Ok(AsyncSink { sink, socket: register(socket)? })
    }

    /// The sink itself: to look at content, and to wake the source.
    pub fn sink(&mut self) -> &mut Sink<D> {
        &mut self.sink
    }

    /// Takes the next packet, and waits for one if need be. Shows and tells first what was done so far. Dropping the future
    /// loses nothing.
    ///
    /// # Errors
    /// As of [`Sink::get`], without deadline: [`Error::Disconnected`] if the source's end of the socket is closed.
    pub async fn get(&mut self) -> Result<Received<D>, Error> {
        loop {
            if let Some(received) = self.sink.try_get()? {
                return Ok(received);
            }
            if let Err(gone) = wait(self.sink.wakeup(), &mut self.sink.port, &self.socket).await {
                // What it did before it went.
                return self.sink.try_get()?.ok_or(gone);
            }
        }
    }

    /// Acknowledges a packet, and waits for room in the queue if need be. Shows and tells first what was done so far.
    ///
    /// If the future is dropped before it is done, the packet is acknowledged with its control fields as they came.
    ///
    /// # Errors
    /// As of [`Sink::acknowledge`], without deadline.
    pub async fn acknowledge(&mut self, packet: Received<D>, answer: D) -> Result<(), Unacknowledged<D>> {
        let (mut packet, mut gone) = (packet, None);
        loop {
            packet = match self.sink.try_acknowledge(packet, answer) {
                Err(full) if full.reason == Error::QueueFull => full.packet,
                done => return done,
            };
            if let Some(reason) = gone {
                return Err(Unacknowledged { packet, reason });
            }
            gone = wait_for_room(&mut self.sink.port, &self.socket).await.err();
        }
    }
}

/// Waits for a signal after the queue was found full. Whoever is told that the other side is gone looks once more: it may
/// have made room before.
async fn wait_for_room(port: &mut Port, socket: &AsyncFd<SignalSocket>) -> Result<(), Error> {
    // The signal of its end may have been taken by an earlier wait, and the socket may stay open for longer than that.
    port.gone().map_or(Ok(()), Err)?;
    match wait(port.wakeup(), port, socket).await {
        // Who closes its socket may have ended in order first.
        Err(Error::Disconnected) => Err(port.gone().unwrap_or(Error::Disconnected)),
        other => other,
    }
}

/// Waits for a signal, after a wakeup that went well.
async fn wait(
    wakeup: Result<(), Error>,
    port: &mut Port,
    socket: &AsyncFd<SignalSocket>,
) -> Result<(), Error> {
    wakeup?;
    if port.relies_on_signals()? { signalled(port, socket).await } else { Ok(()) }
}
