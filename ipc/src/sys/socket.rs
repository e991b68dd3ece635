//! Sockets and event counters. No call here ever waits for the other side.
#![allow(unsafe_code)]

use crate::error::Error;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::FromRawFd;

/// The longest message that is received whole. One byte more than the longest that makes sense, to see excess.
pub(crate) const MAX_BYTES: usize = crate::wire::control::CONTROL_BYTES + 1;

/// Room for as many descriptors as the kernel ever passes (253), so that it closes none of them in our name (closing a
/// stranger's descriptor can block), and for all else that a socket's maker can have it add. So its options are left as they
/// are: whoever has a copy could set them again, and hold the lock that setting one takes.
const CONTROL_SPACE: usize = rustix::cmsg_space!(ScmRights(253), ScmCredentials(1)) + 512;

/// Aligned as control messages are.
#[repr(C, align(8))]
struct ControlSpace([MaybeUninit<u8>; CONTROL_SPACE]);

/// A message as it came.
pub(crate) struct Received {
    bytes: [u8; MAX_BYTES],
    length: usize,
    /// Everything that came with it, checked by nobody.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Whether it is longer than anything that makes sense.
    pub(crate) cut_off: bool,
    /// Whether descriptors of it are lost, since this process has no room for more: there is enough for them here.
    pub(crate) lost: bool,
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

/// Why a message was not sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The other side has not read for long: its socket is full.
    Full,
    /// The system has no room for it now, whoever reads: too many descriptors of this user are in flight.
    NoRoom,
    Failed(Error),
}

impl From<Unsent> for Error {
    fn from(unsent: Unsent) -> Error {
        match unsent {
            Unsent::Full | Unsent::NoRoom => Error::Busy,
            Unsent::Failed(error) => error,
        }
    }
}

/// Sends a message with its descriptors, or says that there is no room for it now.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), Unsent> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Unsent::Failed(Error::TooManyCapabilities));
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    match rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags) {
        Ok(_) => Ok(()),
        Err(Errno::AGAIN) => Err(Unsent::Full),
        Err(Errno::TOOMANYREFS | Errno::NOBUFS | Errno::NOMEM) => Err(Unsent::NoRoom),
        Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => Err(Unsent::Failed(Error::Disconnected)),
        Err(reason) => Err(Unsent::Failed(Error::System { call: "sendmsg", reason })),
    }
}

/// What a read comes to that has no room for descriptors.
pub(crate) const NO_ROOM: Error = Error::System { call: "recvmsg", reason: Errno::MFILE };

/// Takes one message, if there is one. Whoever calls knows that there is [room](super::room): an empty message can bring
/// descriptors, too.
pub(crate) fn receive(socket: BorrowedFd<'_>) -> Result<Receipt, Error> {
    let mut bytes = [0; MAX_BYTES];
    let mut space = ControlSpace([const { MaybeUninit::new(0) }; CONTROL_SPACE]);
    let mut control = RecvAncillaryBuffer::new(&mut space.0);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = match rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags)
    {
        Ok(received) => received,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(Receipt::Empty),
        // Said once, when the peer ended with something unread; what it sent before is still there.
        Err(Errno::CONNRESET) => return receive(socket),
        Err(reason) => return Err(Error::System { call: "recvmsg", reason }),
    };
    let descriptors: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .inspect(super::room::note)
        .collect();
    drop(control);
    close_pidfds(&space);
    if received.bytes == 0 && descriptors.is_empty() {
        // A peer can send an empty message, too; nothing of ours is empty, so it is treated as an end all the same.
        return Ok(Receipt::Closed);
    }
    let length = received.bytes.min(MAX_BYTES);
    let [cut_off, lost] = [ReturnFlags::TRUNC, ReturnFlags::CTRUNC].map(|flag| received.flags.contains(flag));
    Ok(Receipt::Message(Received { bytes, length, descriptors, cut_off, lost }))
}

/// Closes the descriptors for the sender's process that the kernel adds where whoever shares the socket asked for it
/// (`SO_PASSPIDFD`). Closing one never blocks.
fn close_pidfds(space: &ControlSpace) {
    const HEAD: usize = 2 * size_of::<u64>();
    const { assert!(usize::BITS == u64::BITS, "a control message begins with its length as a 64-bit word") };
    const SOL_SOCKET: i32 = 1;
    const SCM_PIDFD: i32 = 4;
    // SAFETY: all bytes were initialised with zero, and whoever wrote to them since wrote initialised bytes.
    let mut rest: &[u8] = unsafe { &*(&raw const space.0 as *const [u8; CONTROL_SPACE]) };
    while let Some((head, _)) = rest.split_first_chunk::<HEAD>() {
        let [l0, l1, l2, l3, l4, l5, l6, l7, v0, v1, v2, v3, k0, k1, k2, k3] = *head;
        let length = usize::from_ne_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
        let kind = (i32::from_ne_bytes([v0, v1, v2, v3]), i32::from_ne_bytes([k0, k1, k2, k3]));
        // Behind the last message all is zero.
        let Some(data) = rest.get(HEAD..length) else { return };
        if let ((SOL_SOCKET, SCM_PIDFD), Some(number)) = (kind, data.first_chunk::<4>())
            && let number @ 0.. = i32::from_ne_bytes(*number)
        {
            // SAFETY: the kernel has just opened this descriptor for us in the same call and told nobody else.
            drop(unsafe { OwnedFd::from_raw_fd(number) });
        }
        rest = rest.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
}

/// What a look at a socket comes to that takes nothing from it. Nobody else reads it meanwhile.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Glance {
    Messages,
    /// Nothing there now.
    Empty,
    /// The other end is closed, or has sent nothing but empty messages: with descriptors, it may be.
    Closed,
}

/// Whether there is something to read. No message of ours is empty.
pub(crate) fn glance(socket: BorrowedFd<'_>) -> Glance {
    let holds_bytes = || rustix::io::ioctl_fionread(socket) != Ok(0);
    if holds_bytes() {
        Glance::Messages
    } else if !polls(socket, PollFlags::IN) {
        Glance::Empty
    } else if holds_bytes() {
        // They have just come.
        Glance::Messages
    } else {
        Glance::Closed
    }
}

/// Whether the other end is closed. There may be messages to read still.
pub(crate) fn has_ended(socket: BorrowedFd<'_>) -> bool {
    polls(socket, PollFlags::RDHUP)
}

fn polls(socket: BorrowedFd<'_>, flag: PollFlags) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(socket, flag)];
    rustix::event::poll(&mut polled, Some(&Timespec::default())).is_ok()
        && polled[0].revents().intersects(flag | PollFlags::HUP | PollFlags::ERR)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_message_looks_like_the_end_unless_there_is_another() {
        let (ours, theirs) = pair().unwrap();
        assert_eq!(glance(ours.as_fd()), Glance::Empty);
        send(theirs.as_fd(), &[], &[theirs.as_fd()]).unwrap();
        assert_eq!(glance(ours.as_fd()), Glance::Closed);
        send(theirs.as_fd(), &[0], &[]).unwrap();
        assert_eq!(glance(ours.as_fd()), Glance::Messages);
        drop(theirs);
        assert_eq!(glance(ours.as_fd()), Glance::Messages);
        for _ in 0..2 {
            assert!(matches!(receive(ours.as_fd()), Ok(Receipt::Message(_))));
        }
        assert_eq!(glance(ours.as_fd()), Glance::Closed);
    }
}
