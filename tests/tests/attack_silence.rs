//! Attacks 9 and 12 on a server: a client that begins and does not go on, or asks and does not listen.

use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::service;
use portcullis_tests::villain::socket;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::{self, Kind, Row};
use std::os::fd::AsFd;

fn town() -> Town {
    Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start")
}

#[test]
fn attack_09_a_portal_without_an_introduction_disturbs_nobody() {
    let mut town = town();
    let silent: Vec<_> = (0..100).map(|_| town.channel().expect("the server takes the portal up")).collect();
    let opened = eventually(|| town.census().channels >= 100);
    assert!(opened, "each portal is a channel that its opener answers for");
    town.assert_bystander_unharmed();
    drop(silent);
    town.assert_unharmed();
}

#[test]
fn attack_09_an_announcement_without_a_request_disturbs_nobody() {
    let mut town = town();
    let mut villain = town.villain();
    for _ in 0..100 {
        villain.announce(u64::MAX);
        villain.ring();
        town.assert_bystander_unharmed();
    }
    assert!(villain.is_welcome(), "an announcement of nothing is no violation");
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_09_portals_without_their_message_are_bounded_and_go_with_their_sender() {
    let mut town = town();
    let mut villain = town.villain();
    let (spare, _other) = socket::pair().expect("the system grants sockets");
    let before = town.server.descriptors();
    for lane in 0..wire::LANES {
        villain.send(&wire::portals(lane, 9), &[spare.as_fd(); 4]).expect("the socket has room");
    }
    villain.announce(wire::PENDING_SOCKET);
    // The portal that the villain came by may be closed only now.
    assert!(
        eventually(|| town.server.descriptors() + 1 >= before + 4 * wire::LANES),
        "the server keeps the portals of a message that may still come"
    );
    town.assert_bystander_unharmed();
    // One set of portals more than there are lanes is more than any client can need.
    villain.send(&wire::portals(0, 10), &[spare.as_fd(); 4]).expect("the socket has room");
    villain.announce(wire::PENDING_SOCKET);
    assert!(villain.is_thrown_out());
    town.assert_unharmed();
}

#[test]
fn attack_09_half_a_request_is_not_taken() {
    let mut town = town();
    let mut villain = town.villain();
    // All of it is there but for the state word, and it is announced.
    let state = villain.fill(6, Row::FIRST, service::POKE, &[1; 512], &[(Kind::Row, Row::FIRST.encode())]);
    villain.announce(1 << 6);
    town.assert_bystander_unharmed();
    assert_eq!(town.census().pokes, 0, "a request without its state has an effect");
    // The other half, late.
    villain.publish(6, state);
    assert_eq!(villain.outcome(6, PATIENCE).status(), Some(wire::status::ANSWERED));
    assert_eq!(town.census().pokes, 1);
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_12_replies_that_nobody_reads_hold_nobody_up() {
    let mut town = town();
    let mut villain = town.villain();
    for _ in 0..200 {
        for lane in 0..wire::LANES {
            let state = villain.fill(lane, Row::FIRST, service::ECHO, &[9; wire::MAX_DATA], &[]);
            villain.publish(lane, state);
        }
    }
    town.assert_bystander_unharmed();
    assert!(villain.is_welcome(), "what a client does not read is its own loss");
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_12_a_client_that_does_not_read_its_socket_loses_its_channel() {
    let mut town = town();
    let mut villain = town.villain();
    // Each reply sends four sockets that are never received: the channel's socket fills up.
    let closed = (0..2_000).any(|_| {
        let state = villain.fill(0, Row::FIRST, service::PORTALS, &[4], &[]);
        villain.publish(0, state);
        villain.outcome(0, PATIENCE).status() != Some(wire::status::ANSWERED)
    });
    assert!(closed, "the server went on sending what is not received");
    assert!(villain.is_thrown_out());
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_12_sixteen_lanes_that_ask_for_portals_at_once_hold_nobody_up() {
    let mut town = town();
    for _ in 0..4 {
        let mut villain = town.villain();
        while !socket::closes(&villain.socket, std::time::Duration::ZERO) {
            ask_for_portals(&mut villain);
        }
        town.assert_bystander_unharmed();
    }
    town.assert_unharmed();
}

fn ask_for_portals(villain: &mut RawClient) {
    for lane in 0..wire::LANES {
        let state = villain.fill(lane, Row::FIRST, service::PORTALS, &[4], &[]);
        villain.publish(lane, state);
    }
}
