//! Sockets and event counters. No call here ever waits for the other side.

use crate::error::Error;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

/// The longest message that is received whole. One byte more than the longest that makes sense, to see excess.
pub(crate) const MAX_BYTES: usize = crate::wire::control::CONTROL_BYTES + 1;

/// Room for as many descriptors as the kernel ever passes (253), so that it closes none of them in our name:
/// closing a stranger's descriptor can block.
const CONTROL_SPACE: usize = rustix::cmsg_space!(ScmRights(253), ScmCredentials(1));

/// A message as it came.
pub(crate) struct Received {
    bytes: [u8; MAX_BYTES],
    length: usize,
    /// Everything that came with it, checked by nobody.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Whether the kernel left something out: bytes or descriptors.
    pub(crate) truncated: bool,
}

impl Received {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// What a receive came to.
pub(crate) enum Receipt {
    Message(Received),
    /// Nothing there now.
    Empty,
    /// The other end is closed and nothing is left to read.
    Closed,
}

/// A new connected pair, as portals are made of.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd), Error> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(Error::system("socketpair"))
}

/// Whether a descriptor is a connected Unix SEQPACKET socket: the one kind that a portal is made of, and one whose
/// close never blocks.
pub(crate) fn is_portal(socket: BorrowedFd<'_>) -> bool {
    rustix::net::sockopt::socket_domain(socket) == Ok(AddressFamily::UNIX)
        && rustix::net::sockopt::socket_type(socket) == Ok(SocketType::SEQPACKET)
        && rustix::net::getpeername(socket).is_ok()
}

/// Sets the options of a socket that somebody else made, so that its messages carry nothing but what we expect.
pub(crate) fn adopt(socket: BorrowedFd<'_>) -> Result<(), Error> {
    rustix::io::fcntl_setfd(socket, rustix::io::FdFlags::CLOEXEC).map_err(Error::system("fcntl(F_SETFD)"))?;
    rustix::net::sockopt::set_socket_passcred(socket, false).map_err(Error::system("setsockopt(SO_PASSCRED)"))
}

/// Sends a message with its descriptors, or says that there is no room for it now (`Busy`).
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), Error> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Error::TooManyCapabilities);
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    match rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags) {
        Ok(_) => Ok(()),
        Err(Errno::AGAIN | Errno::TOOMANYREFS | Errno::NOBUFS | Errno::NOMEM) => Err(Error::Busy),
        Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => Err(Error::Disconnected),
        Err(reason) => Err(Error::System { call: "sendmsg", reason }),
    }
}

/// Takes one message, if there is one.
pub(crate) fn receive(socket: BorrowedFd<'_>) -> Result<Receipt, Error> {
    let mut bytes = [0; MAX_BYTES];
    let mut space = [MaybeUninit::uninit(); CONTROL_SPACE];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = match rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags)
    {
        Ok(received) => received,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(Receipt::Empty),
        Err(Errno::CONNRESET) => return Ok(Receipt::Closed),
        Err(reason) => return Err(Error::System { call: "recvmsg", reason }),
    };
    let descriptors: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    if received.bytes == 0 && descriptors.is_empty() {
        // A peer can send an empty message, too; nothing of ours is empty, so it is treated as an end all the same.
        return Ok(Receipt::Closed);
    }
    let truncated = received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC);
    Ok(Receipt::Message(Received { bytes, length: received.bytes.min(MAX_BYTES), descriptors, truncated }))
}

/// Ends both directions: the other side sees the end at once, whoever holds copies.
pub(crate) fn hang_up(socket: BorrowedFd<'_>) {
    let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
}

/// Wakes who sleeps on an event counter that no peer holds.
pub(crate) fn notify(counter: &OwnedFd) {
    // It cannot overflow: its owner resets it at every wake.
    let _ = rustix::io::write(counter, &1u64.to_ne_bytes());
}

/// Resets an event counter.
pub(crate) fn reset(counter: impl AsFd) {
    let _ = rustix::io::read(counter, &mut [0; 8]);
}
