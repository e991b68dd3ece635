//! Attack 44: descriptors whose close takes as long as their sender likes. (By which ways they can come to a server:
//! `attack_08_a_descriptor_whose_close_blocks_holds_nobody_up`.)

use crate::{alone, town};
use portcullis_tests::resources::limit_descriptors;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::{self, Kind, Row};
use portcullis_tests::villain::{service, socket};
use rustix::process::Signal;
use std::os::fd::{AsFd, OwnedFd};

/// Longer than anybody here waits for anything.
pub(crate) const LINGER_SECONDS: u64 = 120;

pub(crate) fn assert_goes_on(town: &mut Town) {
    let before = town.report().calls;
    assert!(eventually(|| town.report().calls > before + 200), "the bystander was held up");
    town.assert_bystander_unharmed();
}

#[test]
fn attack_44_slow_closes_keep_no_other_descriptor_open() {
    const SLOW: usize = 12;
    let _alone = alone();
    let mut town = town();
    let before = town.server.descriptors();
    let others: Vec<OwnedFd> = (0..SLOW)
        .map(|_| {
            let mut villain = town.villain();
            let (slow, other) = socket::lingering(LINGER_SECONDS).expect("the system grants TCP sockets");
            villain.send(&wire::portals(0, 9), &[slow.as_fd()]).expect("the socket has room");
            // For a message that never comes: it is no violation until that says what it should be.
            let _ = villain.send(&[1, 2, 3], &[]);
            villain.announce(wire::PENDING_SOCKET);
            // Elsewhere, since ours may be the last copy.
            std::thread::spawn(move || drop(slow));
            assert!(villain.is_thrown_out());
            other
        })
        .collect();
    for _ in 0..200 {
        let _ = town.villain();
    }
    assert!(
        eventually(|| town.server.descriptors() <= before + SLOW),
        "{} descriptors are open, {before} were before",
        town.server.descriptors()
    );
    assert_goes_on(&mut town);
    drop(others);
    town.assert_unharmed();
}

#[test]
fn attack_44_the_kernel_closes_nothing_in_the_name_of_a_server_that_is_nearly_full() {
    const LIMIT: usize = 4_096;
    let _alone = alone();
    let mut town = town();
    limit_descriptors(town.server.id(), LIMIT as u64);
    // Portals that nobody takes up, and that somebody keeps: never so many at a time that the server runs out of room here.
    let mut portals = Vec::new();
    while town.server.descriptors() + 400 < LIMIT {
        for _ in 0..10 {
            let pairs = std::array::from_fn::<_, 4, _>(|_| socket::pair().expect("the system has some"));
            let theirs = pairs.each_ref().map(|pair| pair.0.as_fd());
            let sequence = town.launcher.sequences[0].wrapping_add(1);
            town.launcher.send(&wire::portals(0, sequence), &theirs).expect("the socket has room");
            let slots = [(Kind::Portal, 0); 4];
            let _ = town.launcher.call_in(0, Row::FIRST, service::KEEP, &[], &slots).data();
            portals.extend(pairs.map(|pair| pair.1));
        }
    }
    let mut villain = town.villain();
    while town.server.descriptors() + 100 < LIMIT {
        let two = || socket::pair().expect("the system has some");
        let (pair, sequence) = (two(), town.launcher.sequences[0].wrapping_add(1));
        town.launcher.send(&wire::portals(0, sequence), &[pair.0.as_fd()]).expect("the socket has room");
        let state = town.launcher.fill(0, Row::FIRST, service::KEEP, &[], &[(Kind::Portal, 0)]);
        town.launcher.publish(0, state);
        portals.push(pair.1);
        if town.launcher.outcome(0, std::time::Duration::from_millis(200)).status().is_none() {
            break;
        }
    }
    let (slow, other) = socket::lingering(LINGER_SECONDS).expect("the system grants TCP sockets");
    let (spare, _end) = socket::pair().expect("the system has some");
    // The last of them would be closed by whoever has no room for all.
    let many: Vec<_> = std::iter::repeat_n(spare.as_fd(), 252).chain([slow.as_fd()]).collect();
    // Ours is not the last copy, and is gone before the server looks.
    town.server.signal(Signal::STOP);
    villain.send(&wire::portals(0, 9), &many).expect("the kernel passes as many");
    drop(many);
    drop(slow);
    villain.announce(wire::PENDING_SOCKET);
    town.server.signal(Signal::CONT);
    assert_goes_on(&mut town);
    drop(portals);
    assert!(villain.is_thrown_out(), "when there is room it is read, and is too much");
    assert_goes_on(&mut town);
    drop((villain, spare, other));
    assert!(town.server.is_alive());
}
