//! An introducer that keeps copies of both ends of a portal gains nothing that it was not granted, and hides nobody's end.

use crate::alone;
use crate::raw::Peer;
use portcullis_tests::remote::Nested;
use portcullis_tests::service::{Op, bytes, words};
use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::{self, Row};
use portcullis_tests::villain::{memory, socket};
use rustix::process::Signal;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// A portal to the first object of the peer, both ends of which are kept: the holder's, and the server's.
fn portal(server: &mut Peer) -> (OwnedFd, OwnedFd) {
    let (ours, theirs) = socket::pair().expect("the system grants sockets");
    server.channel.send(&wire::open(Row::FIRST), &[theirs.as_fd()]).expect("the socket has room");
    server.channel.announce(wire::PENDING_SOCKET);
    (ours, theirs)
}

/// Has the holder call a capability, whatever for.
fn ask(holder: &mut Peer, number: u64, op: Op, rest: &[u64]) -> Nested {
    let order = [&[number, op as u64, 10_000_000], rest].concat();
    Nested::decode(&holder.ask(Op::CallKept, &order))
}

#[test]
fn an_introducer_with_both_ends_sees_nothing_of_the_channel() {
    let _alone = alone();
    let (mut server, mut holder) = (Peer::start(), Peer::start());
    let (ours, theirs) = portal(&mut server);
    let number = holder.give(&ours);
    holder.call(number, PATIENCE).words();
    // Its own objects, which the server gives back to it as rows, and those of others, which travel as portals.
    for _ in 0..100 {
        ask(&mut holder, number, Op::NewObjects, &[4]).words();
        ask(&mut holder, number, Op::Own, &[]).words();
    }
    for end in [&ours, &theirs] {
        let seen = std::iter::from_fn(|| socket::receive(end, Duration::ZERO)).count();
        assert_eq!(seen, 0, "something still goes over the portal");
        assert!(
            socket::closes(end, Duration::ZERO),
            "both have come over, and the portal is closed for everybody"
        );
    }
}

#[test]
fn an_introducer_with_both_ends_reaches_nothing_that_was_granted_later() {
    let _alone = alone();
    let (mut server, mut holder) = (Peer::start(), Peer::start());
    let (ours, _theirs) = portal(&mut server);
    let number = holder.give(&ours);
    holder.call(number, PATIENCE).words();
    for _ in 0..10 {
        ask(&mut holder, number, Op::NewObjects, &[4]).words();
    }
    let before = server.channels();
    for index in 0..64 {
        let (mine, spare) = socket::pair().expect("the system grants sockets");
        let _ = socket::send(&ours, &wire::open(Row { index, generation: 1 }), &[spare.as_fd()]);
        drop(spare);
        assert!(RawClient::come_over(&mine).is_err(), "row {index} was opened");
    }
    let file = memory::sealed_file(wire::CHANNEL_BYTES).expect("memory");
    let _ = socket::send(&ours, &wire::hello(), &[file.as_fd()]);
    assert_eq!(server.channels(), before);
    holder.call(number, PATIENCE).words();
}

#[test]
fn before_the_holder_has_come_over_a_portal_opens_what_it_was_made_for_and_nothing_else() {
    let _alone = alone();
    let mut server = Peer::start();
    for index in 0..8 {
        // A row that the villain was granted itself: over its own channel, not over this one.
        let _ = server.channel.call(Row::FIRST, Op::NewObjects as u32, &bytes(&[1])).row();
        let (ours, _theirs) = portal(&mut server);
        let (mine, spare) = socket::pair().expect("the system grants sockets");
        socket::send(&ours, &wire::open(Row { index, generation: 1 }), &[spare.as_fd()])
            .expect("it has room");
        drop(spare);
        match RawClient::come_over(&mine) {
            Ok(mut client) => {
                assert_eq!(index, 0, "only the first row may be opened");
                let name = client.call(Row::FIRST, Op::Name as u32, &[]).data();
                let known = server.channel.call(Row::FIRST, Op::Name as u32, &[]).data();
                assert_eq!(words(&name), words(&known));
            }
            Err(_) => assert!(socket::closes(&ours, PATIENCE), "it is a violation"),
        }
    }
    for message in [wire::hello(), wire::portals(0, 1), wire::greeting(7), wire::token(7)] {
        let (ours, _theirs) = portal(&mut server);
        let (_, channel) = socket::ticket(&ours).expect("it is taken up");
        let (spare, _other) = socket::pair().expect("the system grants sockets");
        socket::send(&ours, &message, &[spare.as_fd()]).expect("it has room");
        assert!(socket::closes(&channel, PATIENCE), "{message:?} over a portal");
    }
    assert!(eventually(|| server.channels() == 1));
}

#[test]
fn the_end_of_either_side_is_seen_though_the_introducer_keeps_both_ends() {
    let _alone = alone();
    let mut soonest = Duration::MAX;
    for _ in 0..10 {
        let (mut server, mut holder) = (Peer::start(), Peer::start());
        let (ours, _theirs) = portal(&mut server);
        let number = holder.give(&ours);
        holder.call(number, PATIENCE).words();
        holder.ask(Op::CallInBackground, &[number, Op::Hold as u64, 0]);
        assert!(eventually(|| words(&server.ask(Op::Report, &[]))[4] == 1), "the call is there");
        server.process.kill().expect("it is ours");
        let killed = Instant::now();
        let nested = Nested::decode(&holder.ask(Op::Join, &[]));
        assert_eq!(nested.result, Err("Disconnected".to_owned()));
        soonest = soonest.min(killed.elapsed());
        // And the other way round.
        let mut server = Peer::start();
        let (ours, _theirs) = portal(&mut server);
        let number = holder.give(&ours);
        ask(&mut holder, number, Op::NewObjects, &[4]).words();
        assert_eq!(server.channels(), 2);
        holder.process.kill().expect("it is ours");
        assert!(eventually(|| server.channels() == 1), "the server does not see its client's end");
    }
    assert!(soonest < Duration::from_millis(50), "its client saw the server's end after {soonest:?}");
}

#[test]
fn an_introducer_that_lets_nothing_through_costs_those_that_it_introduced_their_deadlines() {
    let _alone = alone();
    let short = Duration::from_millis(200);
    let (mut server, mut holder) = (Peer::start(), Peer::start());
    let honest = holder.give(&server.channel.open(Row::FIRST).expect("the socket has room"));
    let name = holder.call(honest, PATIENCE).words();
    let (ours, theirs) = portal(&mut server);
    let (token, channel) = socket::ticket(&ours).expect("it is taken up");
    let robbed = holder.give(&ours);
    let nested = holder.call(robbed, short);
    assert_eq!(nested.result, Err("DeadlineExceeded".to_owned()));
    assert!(nested.time >= short, "{nested:?}");
    assert_eq!(holder.call(honest, PATIENCE).words(), name, "others go on");
    // In the middle of what it introduced it may sit: it is what the holder takes for the server.
    let (mut villain, client) = (RawClient::connect(channel).expect("it has room"), wire::token(token));
    assert!(villain.call(Row::FIRST, Op::Name as u32, &[]).status().is_some(), "it was granted this");
    drop((client, villain, ours, theirs));
    assert_eq!(holder.call(robbed, PATIENCE).result, Err("Disconnected".to_owned()));
}

#[test]
fn what_was_opened_over_a_portal_that_nobody_had_taken_up_outlives_its_holder() {
    let _alone = alone();
    let (mut server, mut holder) = (Peer::start(), Peer::start());
    let name = words(&server.ask(Op::Name, &[]));
    server.process.signal(Signal::STOP);
    let portal = server.channel.open(Row::FIRST).expect("the socket has room");
    // As somebody does who hands it on at once, and ends.
    let (theirs, spare) = socket::pair().expect("the system grants sockets");
    socket::send(&portal, &wire::open(Row::FIRST), &[spare.as_fd()]).expect("the socket has room");
    drop((spare, portal));
    let number = holder.give(&theirs);
    drop(theirs);
    server.process.signal(Signal::CONT);
    assert_eq!(holder.call(number, PATIENCE).words(), name);
    assert!(eventually(|| server.channels() == 2), "the raw channel and the holder's");
}
