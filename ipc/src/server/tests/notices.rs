//! What comes of the end of a channel reaches who waits for events, in whatever step the end is found.

use super::client::Client;
use super::{LONG, server};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::server::{Event, Limits, Server};
use crate::sys::socket;
use crate::wait_policy::WaitPolicy;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Whether the server's descriptor polls readable within that time.
fn readable(server: &Server, time: Duration) -> bool {
    let mut polled = [PollFd::new(server, PollFlags::IN)];
    let time = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() };
    rustix::event::poll(&mut polled, Some(&time)).unwrap() == 1
}

/// What a foreign loop is told when it looks because it should.
fn told(server: &mut Server) -> Option<Result<Event, Error>> {
    assert!(readable(server, LONG));
    server.try_next(&mut MsgBuf::new()).transpose()
}

/// Has the server read all that there is.
fn settle(server: &mut Server) {
    while readable(server, Duration::ZERO) {
        assert!(server.try_next(&mut MsgBuf::new()).unwrap().is_none());
    }
}

#[test]
fn an_object_that_nobody_holds_any_more_is_said_by_who_settles() {
    let mut server = server(WaitPolicy::Block, Limits::default());
    let (badge, capability) = server.mint_counted().unwrap();
    let (ours, theirs) = socket::pair().unwrap();
    server.adopt(PeerDescriptor::new(&server.pd, theirs), badge, None).unwrap();
    drop(capability);
    settle(&mut server);
    // Found when the server settles, and not before.
    socket::send(ours.as_fd(), b"garbage", &[]).unwrap();
    assert!(matches!(told(&mut server), Some(Ok(Event::Unreferenced(left))) if left == badge));
}

#[test]
fn the_end_of_the_parent_is_said_by_who_settles() {
    let mut server = server(WaitPolicy::Block, Limits::default());
    let (ours, theirs) = socket::pair().unwrap();
    server.parent =
        Some(server.adopt(PeerDescriptor::new(&server.pd, theirs), server.badge(), None).unwrap());
    settle(&mut server);
    socket::send(ours.as_fd(), b"garbage", &[]).unwrap();
    assert!(matches!(told(&mut server), Some(Err(Error::ParentGone))));
}

/// The parent ends in a step that has looked for that before.
fn assert_hears_of_the_end(wait: impl Fn(&mut Server) -> Result<(), Error>) {
    let mut server = server(WaitPolicy::Block, Limits::default());
    let badge = server.badge();
    let (client, name) = Client::introduced(&mut server, badge);
    server.parent = Some(name);
    settle(&mut server);
    client.send_garbage();
    let start = Instant::now();
    assert_eq!(wait(&mut server), Err(Error::ParentGone));
    assert!(start.elapsed() < LONG, "it slept until its deadline");
}

#[test]
fn nobody_sleeps_after_the_end_of_the_parent() {
    assert_hears_of_the_end(|server| server.next(&mut MsgBuf::new(), Deadline::After(LONG)).map(drop));
}

#[test]
fn no_handler_sleeps_after_the_end_of_the_parent() {
    assert_hears_of_the_end(|server| server.next_io_signal(Deadline::After(LONG), |_| true).map(drop));
}
