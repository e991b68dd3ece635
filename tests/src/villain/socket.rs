//! Socket pairs and messages with descriptors, as the kernel takes them.

use rustix::event::{PollFd, PollFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// A pair of the sockets that portals are made of.
///
/// # Errors
/// What the system says.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends any bytes with any descriptors, at most 253. Never waits.
///
/// # Errors
/// What the system says.
pub fn send(socket: &OwnedFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags)?;
    Ok(())
}

/// Takes one message with its descriptors, if one comes in time; `None` too when the other end is closed.
#[must_use]
pub fn receive(socket: &OwnedFd, time: Duration) -> Option<(Vec<u8>, Vec<OwnedFd>)> {
    poll(socket.as_fd(), PollFlags::IN, time);
    let mut bytes = vec![0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received =
        rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags).ok()?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = message {
            descriptors.extend(some);
        }
    }
    if received.bytes == 0 && descriptors.is_empty() {
        return None;
    }
    bytes.truncate(received.bytes);
    Some((bytes, descriptors))
}

/// What an entrypoint sends over a portal that it has taken up: its token, and the socket of the channel.
///
/// # Errors
/// `TimedOut` if that does not come.
pub fn ticket(portal: &OwnedFd) -> io::Result<(u64, OwnedFd)> {
    let mut messages = std::iter::from_fn(|| receive(portal, super::client::PATIENCE));
    let ticket = messages.find_map(|(bytes, descriptors)| {
        let token = u64::from_le_bytes(*bytes.last_chunk()?);
        descriptors.into_iter().next().filter(|_| bytes[0] == 5).map(|channel| (token, channel))
    });
    ticket.ok_or_else(|| io::ErrorKind::TimedOut.into())
}

/// Whether the other end is closed within the time. What it sent before may still be unread.
#[must_use]
pub fn closes(socket: &OwnedFd, time: Duration) -> bool {
    poll(socket.as_fd(), PollFlags::RDHUP, time)
        .intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR)
}

/// What of `flags` became true within the time.
fn poll(descriptor: BorrowedFd<'_>, flags: PollFlags, time: Duration) -> PollFlags {
    let time = rustix::fs::Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    };
    let mut polled = [PollFd::from_borrowed_fd(descriptor, flags)];
    let _ = rustix::event::poll(&mut polled, Some(&time));
    polled[0].revents()
}

/// A socket of the right kind that is connected to nobody.
///
/// # Errors
/// What the system says.
pub fn lonely() -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// One end of a pair that passes datagrams, which never see the end of the other.
///
/// # Errors
/// What the system says.
pub fn datagram() -> io::Result<OwnedFd> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?.0)
}

/// Clears `O_NONBLOCK` of a description, for everybody who shares it.
///
/// # Errors
/// What the system says.
pub fn make_blocking(descriptor: &OwnedFd) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(descriptor, false)?)
}

/// A TCP socket whose last close blocks for so many seconds: data that nobody takes, and the wish to linger for it.
/// The other end must be kept.
///
/// # Errors
/// What the system says.
pub fn lingering(seconds: u64) -> io::Result<(OwnedFd, OwnedFd)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let lingering: OwnedFd = std::net::TcpStream::connect(listener.local_addr()?)?.into();
    let other: OwnedFd = listener.accept()?.0.into();
    rustix::net::sockopt::set_socket_linger(&lingering, Some(Duration::from_secs(seconds)))?;
    let block = [0; 65_536];
    while rustix::net::send(&lingering, &block, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).is_ok() {}
    Ok((lingering, other))
}
