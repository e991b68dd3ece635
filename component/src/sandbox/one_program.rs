//! How the kernel is told which program a child becomes, and that it is the last one.
//!
//! The filter has the kernel ask whoever holds its *listener* about each `execveat`. The child hands the listener to its parent and keeps no
//! copy. The parent lets the first one through, which is the child's own, and closes the listener: there is nobody to be asked about any
//! other, and the kernel answers ENOSYS, for ever. Letting one through as it is would be unsafe if the child could change what its
//! arguments point to meanwhile; but it has one thread, which is in this very call.

use super::error::Error;
use super::sys::kernel;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{self, Errno, IoSlice, IoSliceMut};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use std::mem::MaybeUninit;

/// The child's side: hands the listener to its parent; whoever calls this closes it then. Allocates nothing.
pub(crate) fn hand_over(parent: impl AsFd, listener: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let listeners = [listener.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&listeners)) {
        return Err(Errno::NOBUFS);
    }
    rustix::net::sendmsg(parent, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL).map(drop)
}

/// What a child says: some bytes, how many, and perhaps the listener.
pub(crate) fn receive(ours: &OwnedFd, bytes: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = io::retry_on_intr(|| {
        let mut into = [IoSliceMut::new(&mut *bytes)];
        rustix::net::recvmsg(ours, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((received.bytes, descriptors.flatten().next()))
}

/// The parent's side: lets one program through, or none if the child says something else first, or ends.
pub(crate) fn let_through(listener: &OwnedFd, ours: &OwnedFd) -> Result<(), Error> {
    loop {
        let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(ours, PollFlags::IN)];
        let polled = io::retry_on_intr(|| rustix::event::poll(&mut ready, None));
        polled.map_err(Error::system("poll"))?;
        if !ready[0].revents().contains(PollFlags::IN) {
            return Ok(());
        }
        match kernel::let_call_through(listener) {
            // It was killed, or will ask again behind a signal.
            Err(Errno::NOENT) => {}
            done => return done.map_err(Error::system("ioctl")),
        }
    }
}
