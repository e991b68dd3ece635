//! A socket that carries the signals of a stream: one byte each, and no side ever waits for the other.

use crate::error::Error;
use crate::signal::{Notify, Signal};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

/// One end of a pair of Unix SEQPACKET sockets by which the two parties of a stream signal to each other, where a handler
/// waits in epoll or a task in an executor. The peer's death is seen here, too: its end is closed.
///
/// Not an eventfd: whoever shares one can make the other side's writes block. What is full here holds a signal already.
///
/// ```
/// use portcullis_packet_stream::{Geometry, SignalSocket, Sink, Source};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(4, 4, 4096)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<()>())?;
/// let mut source = Source::<()>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let (ours, theirs) = SignalSocket::pair()?;
/// source.set_handler(ours.clone());
/// let packet = source.alloc(1)?;
/// source.try_submit(packet, ())?;
/// source.wakeup()?;
/// assert!(theirs.take()?, "a signal has come");
/// assert!(!theirs.take()?);
/// # Ok::<(), portcullis_packet_stream::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignalSocket(Arc<OwnedFd>);

/// So many signals are taken at once: a peer that sends without end gets its turn and no more.
const TURN: usize = 32;

impl SignalSocket {
    /// A new connected pair: one end for each party.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn pair() -> Result<(SignalSocket, SignalSocket), Error> {
        let flags = SocketFlags::CLOEXEC;
        let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
        let (ours, theirs) = pair.map_err(|reason| Error::System { call: "socketpair", reason })?;
        Ok((SignalSocket(Arc::new(ours)), SignalSocket(Arc::new(theirs))))
    }

    /// An end that came from somebody else. Its flags need not be set in any way: each operation says that it does not wait.
    /// Who made the pair may have kept a copy of this end all the same, and its reads can hold the kernel's lock for as long as it
    /// likes: who is not sure of the peer makes the [`pair`](Self::pair) himself and gives away one end only.
    ///
    /// # Errors
    /// [`Error::NoSocket`] if it is none of that kind, or was never connected.
    pub fn adopt(socket: OwnedFd) -> Result<SignalSocket, Error> {
        let is_one = rustix::net::sockopt::socket_domain(&socket) == Ok(AddressFamily::UNIX)
            && rustix::net::sockopt::socket_type(&socket) == Ok(SocketType::SEQPACKET)
            // One that is not connected would never say that the other end is closed. One whose other end is closed
            // already was connected, and still says to whom.
            && rustix::net::getpeername(&socket).is_ok();
        if is_one { Ok(SignalSocket(Arc::new(socket))) } else { Err(Error::NoSocket) }
    }

    /// Sends a signal, unless the socket is full of them. Does not block.
    pub fn signal(&self) {
        // Full: it holds a signal. Closed: nobody is there to be told.
        let _ = rustix::net::send(&*self.0, &[0], SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }

    /// Takes the signals that have come, at most some at once. Answers whether there was one. Does not block.
    ///
    /// # Errors
    /// [`Error::Disconnected`] if the other end is closed and nothing is left to take.
    pub fn take(&self) -> Result<bool, Error> {
        let mut some = false;
        for _ in 0..TURN {
            // Descriptors that a peer sends along are thrown away by the kernel: there is no room for them.
            match rustix::net::recv(&*self.0, &mut [0_u8; 8], RecvFlags::DONTWAIT) {
                Ok((_, 1..)) => some = true,
                Ok(_) => return if some { Ok(true) } else { Err(Error::Disconnected) },
                // Reset: said once, of signals of ours that a peer that is gone has not read, and before what it has sent.
                Err(Errno::INTR | Errno::CONNRESET) => {}
                Err(_) => break,
            }
        }
        Ok(some)
    }
}

impl Notify for SignalSocket {
    fn notify(&self, _: &[Signal]) {
        self.signal();
    }
}

impl AsFd for SignalSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for SignalSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
