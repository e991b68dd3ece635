//! Descriptors that are passed from process to process by hand: the floor of what capabilities do between strangers.
//!
//! The benchmark has a socket to each of its processes. Their parts are loops without anything around them, and they
//! trust each other: they wait for as long as it takes, and end when the benchmark says so or ends itself.

use crate::error::Error;
use portcullis_rpc as rpc;
use rustix::event::EventfdFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sockopt,
};
use serde::{Deserialize, Serialize};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::time::Duration;

/// When the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Messages are one byte, and perhaps a descriptor.
const GO_ON: u8 = 0;
const STOP: u8 = 1;

/// One end of a socket whose other end is in another process.
#[derive(Debug)]
pub(crate) struct Link(OwnedFd);

/// What came over a link.
enum Message {
    GoOn(Option<OwnedFd>),
    /// The other side said so, or is gone.
    Stop,
}

/// A new connected pair.
fn pair() -> Result<(OwnedFd, OwnedFd), Error> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(Error::system("socketpair"))
}

impl Link {
    /// The benchmark's end, and the one to hand to another process.
    pub(crate) fn new() -> Result<(Link, OwnedFd), Error> {
        let (ours, theirs) = pair()?;
        sockopt::set_socket_timeout(&ours, sockopt::Timeout::Recv, Some(PATIENCE))
            .map_err(Error::system("setsockopt(SO_RCVTIMEO)"))?;
        Ok((Link(ours), theirs))
    }

    /// The end that a process was handed.
    pub(crate) fn of(file: &impl AsFd) -> Result<Link, Error> {
        file.as_fd().try_clone_to_owned().map(Link).map_err(Error::io("fcntl(F_DUPFD_CLOEXEC)"))
    }

    /// Ends the part that the other side plays.
    pub(crate) fn stop(&self) -> Result<(), Error> {
        self.send(STOP, None)
    }

    fn send(&self, byte: u8, descriptor: Option<BorrowedFd<'_>>) -> Result<(), Error> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if let Some(descriptor) = &descriptor {
            control.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(descriptor)));
        }
        rustix::net::sendmsg(&self.0, &[IoSlice::new(&[byte])], &mut control, SendFlags::NOSIGNAL)
            .map(drop)
            .map_err(Error::system("sendmsg"))
    }

    fn receive(&self) -> Result<Message, Error> {
        let mut byte = [STOP];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut bytes = [IoSliceMut::new(&mut byte)];
            match rustix::net::recvmsg(&self.0, &mut bytes, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Ok(received) => break received.bytes,
                Err(Errno::INTR) => {}
                Err(Errno::CONNRESET) => break 0,
                Err(Errno::AGAIN) => return Err(Error::Stalled { seconds: PATIENCE.as_secs() }),
                Err(reason) => return Err(Error::System { call: "recvmsg", reason }),
            }
        };
        if received == 0 || byte == [STOP] {
            return Ok(Message::Stop);
        }
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        Ok(Message::GoOn(descriptor))
    }

    /// What the benchmark waits for: the other side does not stop before we do.
    fn answer(&self) -> Result<Option<OwnedFd>, Error> {
        match self.receive()? {
            Message::GoOn(descriptor) => Ok(descriptor),
            Message::Stop => Err(rpc::Error::Disconnected.into()),
        }
    }
}

/// What a process does by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// Takes sockets, and sends back one message over each.
    Server,
    /// Takes sockets, sends one message over each, and waits for what comes back.
    Caller,
    /// Makes a new descriptor whenever it is asked, and gives it away.
    Maker,
    /// Takes descriptors and closes them.
    Taker,
    /// Takes descriptors, and closes them when its part is over.
    Keeper,
}

impl Part {
    /// Plays it until the other side of the link says that it is over.
    pub(crate) fn play(self, link: &Link) -> Result<(), Error> {
        let mut kept = Vec::new();
        while let Message::GoOn(descriptor) = link.receive()? {
            match (self, descriptor) {
                (Part::Server, Some(socket)) => {
                    let way = Link(socket);
                    if let Message::GoOn(_) = way.receive()? {
                        way.send(GO_ON, None)?;
                    }
                }
                (Part::Caller, Some(socket)) => {
                    let way = Link(socket);
                    way.send(GO_ON, None)?;
                    way.answer()?;
                    drop(way);
                    link.send(GO_ON, None)?;
                }
                (Part::Maker, None) => {
                    let new = rustix::event::eventfd(0, EventfdFlags::CLOEXEC)
                        .map_err(Error::system("eventfd2"))?;
                    link.send(GO_ON, Some(new.as_fd()))?;
                }
                (Part::Taker, Some(descriptor)) => {
                    drop(descriptor);
                    link.send(GO_ON, None)?;
                }
                (Part::Keeper, Some(descriptor)) => {
                    kept.push(descriptor);
                    link.send(GO_ON, None)?;
                }
                _ => return Err(Error::Misunderstood("a message of the floor")),
            }
        }
        Ok(())
    }
}

/// Introduces a [`Caller`](Part::Caller) to a [`Server`](Part::Server), and waits until they have exchanged a message.
#[inline]
pub(crate) fn introduce(caller: &Link, server: &Link) -> Result<(), Error> {
    let (one, other) = pair()?;
    server.send(GO_ON, Some(one.as_fd()))?;
    caller.send(GO_ON, Some(other.as_fd()))?;
    drop((one, other));
    caller.answer().map(drop)
}

/// Has a [`Maker`](Part::Maker) make a descriptor, passes it to a [`Taker`](Part::Taker) or a [`Keeper`](Part::Keeper), and
/// waits until that has it. Answers our own copy.
#[inline]
pub(crate) fn pass_on(maker: &Link, taker: &Link) -> Result<OwnedFd, Error> {
    maker.send(GO_ON, None)?;
    let descriptor = maker.answer()?.ok_or(Error::Misunderstood("a message of the floor"))?;
    taker.send(GO_ON, Some(descriptor.as_fd()))?;
    taker.answer()?;
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::{self, JoinHandle};

    /// A part on a thread of its own, and the link to it.
    fn start(part: Part) -> (Link, JoinHandle<Result<(), Error>>) {
        let (ours, theirs) = Link::new().unwrap();
        (ours, thread::spawn(move || part.play(&Link(theirs))))
    }

    #[test]
    fn strangers_are_introduced_and_descriptors_passed_on() {
        for (parts, operate) in [
            ([Part::Caller, Part::Server], introduce as fn(&Link, &Link) -> Result<(), Error>),
            ([Part::Maker, Part::Taker], |maker, taker| pass_on(maker, taker).map(drop)),
            ([Part::Maker, Part::Keeper], |maker, keeper| pass_on(maker, keeper).map(drop)),
        ] {
            let [(one, first), (other, second)] = parts.map(start);
            for _ in 0..3 {
                operate(&one, &other).unwrap();
            }
            one.stop().unwrap();
            drop(other);
            first.join().unwrap().unwrap();
            second.join().unwrap().unwrap();
        }
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        let (one, theirs) = Link::new().unwrap();
        drop(theirs);
        assert!(introduce(&one, &one).is_err());
    }
}
