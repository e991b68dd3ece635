//! What a reply that grants something costs its client, who has done nothing wrong.

use super::client::Client;
use super::{LONG, server};
use crate::capability::Capability;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::server::{Limits, Server};
use crate::sys::socket;
use crate::wait_policy::WaitPolicy;
use crate::wire::control::{Control, Tag};
use crate::wire::layout::LaneId;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::JoinHandle;

/// A client of the server's own object, on a thread of its own.
fn client<T: Send + 'static>(
    server: &mut Server,
    of: impl FnOnce(Capability) -> T + Send + 'static,
) -> JoinHandle<T> {
    let (ours, theirs) = socket::pair().unwrap();
    server.adopt(PeerDescriptor::new(&server.pd, theirs), server.badge(), None).unwrap();
    std::thread::spawn(move || of(holder(ours)))
}

/// The holder of a portal.
fn holder(socket: OwnedFd) -> Capability {
    let pd = Pd::new().unwrap();
    Capability::from_portal(&pd, PeerDescriptor::new(&pd, socket), None)
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

#[test]
fn g4_what_was_given_back_makes_room_for_the_next_grant() {
    // The row of the server's own object, and another.
    let mut server = server(WaitPolicy::Block, Limits { rows: 2, ..Limits::default() });
    let (go, gone_on) = std::sync::mpsc::channel();
    let client = client(&mut server, move |capability| {
        (0..10).try_for_each(|_| {
            let mut receive = MsgBuf::new();
            capability.call(&MsgBuf::new(), &mut receive)?;
            gone_on.recv().unwrap();
            drop(receive.take(0));
            Ok::<_, Error>(())
        })
    });
    for _ in 0..10 {
        let (_, object) = server.mint().unwrap();
        assert_eq!(grant(&mut server, object), Ok(()));
        // It sleeps when the object is given back, and nobody wakes it for that.
        while server.try_next(&mut MsgBuf::new()).unwrap().is_some() {}
        go.send(()).unwrap();
    }
    assert_eq!(client.join().unwrap(), Ok(()));
}

/// The client asks for an object.
fn ask(server: &mut Server, client: &mut Client) -> Result<(), Error> {
    client.call();
    let (_, object) = server.mint()?;
    grant(server, object)
}

#[test]
fn g4_what_was_given_back_behind_a_message_makes_room_when_that_is_read() {
    let mut server = server(WaitPolicy::Block, Limits { rows: 2, ..Limits::default() });
    let badge = server.badge();
    let (mut client, _) = Client::introduced(&mut server, badge);
    assert_eq!(ask(&mut server, &mut client), Ok(()));
    let unread = Control::Descriptors(Tag { lane: LaneId::lowest(2).unwrap(), sequence: 1 });
    socket::send(client.socket.as_fd(), &unread.encode(), &[client.socket.as_fd()]).unwrap();
    client.release(1, 2);
    assert_eq!(ask(&mut server, &mut client), Err(Error::BudgetExceeded));
    while server.try_next(&mut MsgBuf::new()).unwrap().is_some() {}
    assert_eq!(server.usage().rows, 1, "it is taken before the server sleeps");
    assert_eq!(ask(&mut server, &mut client), Ok(()));
}
