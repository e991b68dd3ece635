//! Attacks 14 and 15: the other side dies in the middle.

use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::town::Town;

use portcullis_tests::villain::wire::{self, Row};
use portcullis_tests::villain::{service, socket};
use std::os::fd::AsFd;

fn town() -> Town {
    Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start")
}

#[test]
fn attack_14_what_a_client_sent_before_its_end_still_counts() {
    let mut town = town();
    for _ in 0..50 {
        let mut villain = town.villain();
        // Something that it will not have read when it ends: the kernel reports its end as a reset then.
        let _ = villain.call(Row::FIRST, service::PORTALS, &[1]).data();
        let (ours, theirs) = socket::pair().expect("the system grants sockets");
        villain.send(&wire::open(Row::FIRST), &[theirs.as_fd()]).expect("the socket has room");
        drop((villain, theirs));
        let mut heir = RawClient::connect(ours).expect("the portal was given away before");
        assert!(heir.is_welcome());
    }
    town.assert_unharmed();
}
