//! What a reply that grants something costs its client, who has done nothing wrong.

use super::{LONG, server};
use crate::capability::Capability;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::pd::peer_socket::PeerSocket;
use crate::server::{Limits, Server};
use crate::sys::socket;
use crate::wait_policy::WaitPolicy;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::JoinHandle;

/// A client of the server's own object, on a thread of its own.
fn client<T: Send + 'static>(
    server: &mut Server,
    of: impl FnOnce(Capability) -> T + Send + 'static,
) -> JoinHandle<T> {
    let (ours, theirs) = socket::pair().unwrap();
    server.adopt(theirs, server.badge(), None).unwrap();
    std::thread::spawn(move || of(holder(ours)))
}

/// The holder of a portal.
fn holder(socket: OwnedFd) -> Capability {
    let pd = Pd::new().unwrap();
    Capability::from_portal(&pd, PeerSocket::new(&pd, socket), None).unwrap()
}

/// Answers a call with that.
fn grant(server: &mut Server, granted: Capability) -> Result<(), Error> {
    let mut message = MsgBuf::new();
    let request = server.wait(&mut message, Deadline::After(LONG))?;
    message.push(granted)?;
    server.reply(request.caller, &message)
}

#[test]
fn what_another_entrypoint_does_wrong_ends_no_client_of_this_one() {
    let mut server = server(WaitPolicy::Block, Limits::default());
    let client = client(&mut server, |capability| {
        [(); 2].map(|()| capability.call(&MsgBuf::new(), &mut MsgBuf::new()))
    });
    let (ours, theirs) = socket::pair().unwrap();
    socket::send(theirs.as_fd(), b"garbage", &[]).unwrap();
    assert_eq!(grant(&mut server, holder(ours)), Err(Error::InvalidCapability));
    let own = server.capability();
    assert_eq!(grant(&mut server, own), Ok(()));
    assert_eq!(client.join().unwrap(), [Err(Error::InvalidCapability), Ok(())]);
    assert_eq!(server.usage().violations, 0);
}
