//! Attacks 14 and 15: the other side dies in the middle.

use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::victim::{Process, eventually};

use portcullis_tests::villain::wire::{self, Row};
use portcullis_tests::villain::{service, socket};
use std::os::fd::AsFd;
use std::process::Command;

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
        let mut heir = RawClient::come_over(&ours).expect("the portal was given away before");
        assert!(heir.is_welcome());
    }
    town.assert_unharmed();
}

#[test]
fn attack_14_a_client_that_is_killed_in_the_middle_of_everything_leaves_nothing() {
    let mut town = town();
    for _ in 0..30 {
        let portal = town.channel().expect("the server takes the portal up");
        let mut command = Command::new(env!("CARGO_BIN_EXE_villain"));
        command.arg("hold");
        let mut villain = Process::start_with(command, portal).expect("the villain starts");
        assert!(
            eventually(|| town.census().held as usize == wire::LANES - 1),
            "it holds a call in every lane"
        );
        villain.kill().expect("it is ours");
        // Its callers are gone: the answers that the server owes them go nowhere, and tell it nothing.
        let _ = town.launcher.call(Row::FIRST, service::ANSWER_ALL, &[]).data();
        town.assert_nothing_leaked();
    }
    town.assert_unharmed();
}

#[test]
fn attack_15_clients_of_a_killed_server_see_its_end() {
    let mut town = town();
    let mut villains: Vec<RawClient> = (0..8).map(|_| town.villain()).collect();
    for villain in &mut villains {
        let state = villain.fill(0, Row::FIRST, service::HOLD, &[], &[]);
        villain.publish(0, state);
    }
    town.server.kill().expect("it is ours");
    for villain in &villains {
        assert!(socket::closes(&villain.socket, PATIENCE), "a dead server's socket is open");
    }
    // The bystander is one of its clients.
    assert!(eventually(
        || town.report().first_error == "the server has ended or closed the channel: open a new session"
    ));
}
