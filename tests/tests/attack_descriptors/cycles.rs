//! Attack 45: sockets that hold each other. Nothing but connected Unix SEQPACKET sockets is ever a portal; of these, pairs both
//! ends of which come to one process, portals over themselves, and queues that hold each other end with whoever made them.

use crate::{alone, town};
use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::wire::{self, Kind, Row};
use portcullis_tests::villain::{service, socket};
use std::os::fd::{AsFd, OwnedFd};

fn pair() -> (OwnedFd, OwnedFd) {
    socket::pair().expect("the system grants sockets")
}

/// Has the server open something as a portal.
fn open(villain: &mut RawClient, portal: &OwnedFd) {
    let _ = villain.send(&wire::open(Row::FIRST), &[portal.as_fd()]);
    villain.announce(wire::PENDING_SOCKET);
}

/// Gives the server something as the argument of a call.
fn give(villain: &mut RawClient, opcode: u32, portal: &OwnedFd) {
    let state = villain.fill(0, Row::FIRST, opcode, &[], &[(Kind::Portal, 0)]);
    let _ = villain.send(&wire::portals(0, state.sequence), &[portal.as_fd()]);
    villain.publish(0, state);
    let _ = villain.outcome(0, PATIENCE);
}

/// What a villain does, many times over; whatever it holds ends with that.
fn assert_bounded(mut mischief: impl FnMut(&mut Town, &mut RawClient)) {
    let _alone = alone();
    let mut town = town();
    for _ in 0..50 {
        let mut villain = town.villain();
        mischief(&mut town, &mut villain);
        drop(villain);
        let _ = town.launcher.call(Row::FIRST, service::LET_GO, &[]).data();
    }
    town.assert_unharmed();
}

#[test]
fn attack_45_a_channel_s_own_socket_as_a_portal() {
    assert_bounded(|_, villain| {
        let own = villain.socket.try_clone().expect("the system has a descriptor");
        give(villain, service::POKE, &own);
        give(villain, service::KEEP, &own);
        open(villain, &own);
        drop(own);
        let _ = villain.call(Row::FIRST, service::POKE, &[]);
        // It reads its socket when it is told to.
        villain.announce(wire::PENDING_SOCKET);
        assert!(villain.is_thrown_out(), "what the server says to the portal, it says to itself");
    });
}

#[test]
fn attack_45_a_pair_both_ends_of_which_come_to_one_server() {
    assert_bounded(|_, villain| {
        for _ in 0..4 {
            let (one, other) = pair();
            open(villain, &one);
            open(villain, &other);
            // And one that is opened at one end, and handed over at the other.
            let (one, other) = pair();
            open(villain, &one);
            give(villain, service::KEEP, &other);
            give(villain, service::POKE, &one);
        }
        assert!(villain.is_welcome(), "it harms nobody");
    });
}

#[test]
fn attack_45_a_pair_whose_tickets_its_maker_takes() {
    assert_bounded(|_, villain| {
        let (one, other) = pair();
        open(villain, &one);
        let (_, of_one) = socket::ticket(&other).expect("it is taken up");
        open(villain, &other);
        // Whatever comes of the second; both are with the server, and nobody else has either.
        let kept = socket::receive(&one, PATIENCE);
        drop((one, other));
        assert!(villain.is_welcome());
        drop((kept, of_one));
    });
}

#[test]
fn attack_45_a_portal_that_is_opened_over_itself() {
    assert_bounded(|town, villain| {
        let portal = villain.open(Row::FIRST).expect("the socket has room");
        let (ours, theirs) = pair();
        for sent in [&portal, &theirs] {
            let _ = socket::send(&portal, &wire::open(Row::FIRST), &[sent.as_fd()]);
        }
        drop((portal, theirs));
        town.assert_bystander_unharmed();
        drop(ours);
    });
}

#[test]
fn attack_45_queues_that_hold_each_other() {
    assert_bounded(|_, villain| {
        let ((a, b), (c, d)) = (pair(), pair());
        // Each is in the queue of the other, and one in its own.
        for (over, sent) in [(&a, &c), (&b, &d), (&c, &a), (&d, &b), (&a, &b), (&b, &b)] {
            socket::send(over, &wire::portals(0, 1), &[sent.as_fd()]).expect("the socket has room");
        }
        give(villain, service::POKE, &a);
        give(villain, service::KEEP, &b);
        open(villain, &c);
        open(villain, &d);
        assert!(villain.is_welcome(), "it harms nobody");
    });
}

#[test]
fn attack_45_a_queue_in_a_queue_in_a_queue() {
    assert_bounded(|_, villain| {
        let (mut inner, mut kept) = pair();
        for _ in 0..100 {
            let (outer, end) = pair();
            if socket::send(&end, &wire::portals(0, 1), &[inner.as_fd(), kept.as_fd()]).is_err() {
                break;
            }
            (inner, kept) = (outer, end);
        }
        give(villain, service::POKE, &inner);
        open(villain, &inner);
        assert!(villain.is_welcome(), "it harms nobody");
    });
}

#[test]
fn attack_45_nothing_but_connected_seqpacket_sockets_is_a_portal() {
    let lonely = socket::lonely().expect("the system has one");
    let datagrams = socket::datagram().expect("the system has one");
    let (pipe, _writer) = rustix::pipe::pipe().expect("the system has one");
    let epoll = rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC).expect("one");
    let stream: OwnedFd = std::os::unix::net::UnixStream::pair().expect("the system has one").0.into();
    for impostor in [&lonely, &datagrams, &pipe, &epoll, &stream] {
        let _alone = alone();
        let mut town = town();
        let mut villain = town.villain();
        open(&mut villain, impostor);
        assert!(villain.is_thrown_out());
        let mut villain = town.villain();
        give(&mut villain, service::POKE, impostor);
        assert!(villain.is_thrown_out());
        // Over a portal, too.
        let mut villain = town.villain();
        let portal = villain.open(Row::FIRST).expect("the socket has room");
        let (_, channel) = socket::ticket(&portal).expect("it is taken up");
        let _ = socket::send(&portal, &wire::open(Row::FIRST), &[impostor.as_fd()]);
        assert!(socket::closes(&channel, PATIENCE));
        drop((villain, portal, channel));
        town.assert_unharmed();
    }
}
