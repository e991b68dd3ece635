//! What an introducer can do who does not keep to the rules, and a client with tokens that are not its own.

use crate::LIMIT;
use portcullis_tests::remote::Nested;
use portcullis_tests::service::{Op, bytes, words};
use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::random::Random;
use portcullis_tests::villain::server::RawServer;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::victim::{Process, eventually};
use portcullis_tests::villain::wire::{self, Kind, Row};
use portcullis_tests::villain::{service, socket};
use portcullis_tests::watchdog::Watchdog;
use rustix::process::Signal;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;
use std::time::Duration;

/// The one group that a liar knows; it says nothing of whom it leads to.
const GROUP: u64 = 7 << 16;

/// A well-behaved peer, and a raw channel to it.
pub(crate) struct Peer {
    pub(crate) process: Process,
    pub(crate) channel: RawClient,
}

impl Peer {
    pub(crate) fn start() -> Peer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peer"));
        command.arg("1000");
        let (process, portal) = Process::start(command).expect("a peer starts");
        let channel = RawClient::connect(portal).expect("it is there");
        Peer { process, channel }
    }

    pub(crate) fn ask(&mut self, op: Op, numbers: &[u64]) -> Vec<u8> {
        self.channel.call(Row::FIRST, op as u32, &bytes(numbers)).data()
    }

    pub(crate) fn channels(&mut self) -> u64 {
        words(&self.ask(Op::Report, &[]))[0]
    }

    /// Gives it a portal, as one of [`GROUP`]; answers the number that it has there.
    pub(crate) fn give(&mut self, portal: &OwnedFd) -> u64 {
        give(&mut self.channel, portal)
    }

    /// Has it call what it was given: what that object is called, or an error.
    pub(crate) fn call(&mut self, number: u64, deadline: Duration) -> Nested {
        let micros = u64::try_from(deadline.as_micros()).expect("it is short");
        Nested::decode(&self.ask(Op::CallKept, &[number, Op::Name as u64, micros]))
    }
}

/// Gives a peer a portal over that channel, as one of [`GROUP`]; answers the number that it has there.
fn give(channel: &mut RawClient, portal: &OwnedFd) -> u64 {
    hand_over(channel, Op::Keep, portal)[0]
}

/// Asks for something, with a portal.
pub(crate) fn hand_over(channel: &mut RawClient, op: Op, portal: &OwnedFd) -> Vec<u64> {
    let tag = wire::portals(0, channel.sequences[0].wrapping_add(1));
    channel.send(&tag, &[portal.as_fd()]).expect("the socket has room");
    words(&channel.call_in(0, Row::FIRST, op as u32, &[], &[(Kind::Portal, GROUP)]).data())
}

#[test]
fn a_portal_of_a_lying_group_stays_a_channel_and_works() {
    let _watchdog = Watchdog::start(LIMIT);
    let (mut one, mut other, mut holder) = (Peer::start(), Peer::start(), Peer::start());
    let first = holder.give(&one.channel.open(Row::FIRST).expect("the socket has room"));
    let name = holder.call(first, PATIENCE).words();
    // An object with a name of its own, of another entrypoint.
    for _ in 0..4 {
        other.ask(Op::NewObjects, &[4]);
    }
    let object = other.channel.call(Row::FIRST, Op::NewObjects as u32, &bytes(&[1])).row();
    let its_name = words(&other.channel.call(object, Op::Name as u32, &[]).data());
    assert_ne!(name, its_name);
    let second = holder.give(&other.channel.open(object).expect("the socket has room"));
    for _ in 0..3 {
        assert_eq!(holder.call(second, PATIENCE).words(), its_name);
        assert_eq!(holder.call(first, PATIENCE).words(), name);
    }
    // The raw channel and the holder's, at either.
    assert_eq!((one.channels(), other.channels()), (2, 2));
}

#[test]
fn portals_of_two_introducers_never_share_a_channel() {
    let _watchdog = Watchdog::start(LIMIT);
    let (mut one, mut holder) = (Peer::start(), Peer::start());
    let to_holder = holder.channel.open(Row::FIRST).expect("the socket has room");
    let mut other = RawClient::come_over(&to_holder).expect("it is there");
    let mut portal = || one.channel.open(Row::FIRST).expect("the socket has room");
    // The same number, and the same entrypoint, as it says itself.
    let numbers = [holder.give(&portal()), holder.give(&portal()), give(&mut other, &portal())];
    let name = holder.call(numbers[0], PATIENCE).words();
    for number in numbers {
        assert_eq!(holder.call(number, PATIENCE).words(), name);
    }
    assert!(eventually(|| one.channels() <= 3), "two of one introducer share a channel: {}", one.channels());
    assert_eq!(one.channels(), 3, "the raw channel, and one by each introducer");
}

#[test]
fn a_server_that_never_takes_a_portal_up_costs_each_call_its_deadline_and_others_nothing() {
    let _watchdog = Watchdog::start(LIMIT);
    let short = Duration::from_millis(200);
    let (mut one, mut holder) = (Peer::start(), Peer::start());
    let first = holder.give(&one.channel.open(Row::FIRST).expect("the socket has room"));
    let name = holder.call(first, PATIENCE).words();
    let (silent, portal) = socket::pair().expect("the system grants sockets");
    let second = holder.give(&portal);
    drop(portal);
    for _ in 0..2 {
        let nested = holder.call(second, short);
        assert!(nested.time >= short, "{nested:?}");
        assert_eq!(nested.result, Err("DeadlineExceeded".to_owned()));
        assert_eq!(holder.call(first, PATIENCE).words(), name, "others go on");
    }
    let server = std::thread::spawn(move || RawServer::take_up(&silent, 1).and_then(RawServer::serve));
    assert!(holder.call(second, PATIENCE).result.is_ok());
    holder.ask(Op::Drop, &[second]);
    server.join().expect("it does not panic").expect("its client is gone");
}

#[test]
fn a_portal_that_its_server_refuses_is_dead_at_once() {
    let _watchdog = Watchdog::start(LIMIT);
    let (mut one, mut holder) = (Peer::start(), Peer::start());
    let first = holder.give(&one.channel.open(Row::FIRST).expect("the socket has room"));
    let name = holder.call(first, PATIENCE).words();
    for _ in 0..20 {
        let dead = one.channel.open(Row { index: 77, generation: 7 }).expect("the socket has room");
        let number = holder.give(&dead);
        drop(dead);
        let nested = holder.call(number, PATIENCE);
        assert_eq!(nested.result, Err("Disconnected".to_owned()), "no token comes for it");
    }
    assert_eq!(holder.call(first, PATIENCE).words(), name);
}

#[test]
fn an_introducer_that_dies_before_the_token_comes_takes_nothing_along() {
    let _watchdog = Watchdog::start(LIMIT);
    let (mut one, mut holder) = (Peer::start(), Peer::start());
    let to_server = one.channel.open(Row::FIRST).expect("the socket has room");
    let mut introducer = RawClient::come_over(&to_server).expect("an introducer connects");
    let first = holder.give(&introducer.open(Row::FIRST).expect("the socket has room"));
    let name = holder.call(first, PATIENCE).words();
    one.process.signal(Signal::STOP);
    let second = holder.give(&introducer.open(Row::FIRST).expect("the socket has room"));
    drop(introducer);
    one.process.signal(Signal::CONT);
    assert_eq!(holder.call(second, PATIENCE).words(), name);
    assert!(eventually(|| one.channels() == 2), "the raw channel and the holder's: {}", one.channels());
    assert_eq!(holder.call(second, PATIENCE).words(), name);
}

/// Presents a token; the row that it is good for.
fn present(client: &mut RawClient, token: u64) -> Option<Row> {
    let outcome = client.call(wire::SYSTEM, wire::FOLD, &token.to_le_bytes());
    match outcome.status() {
        Some(wire::status::ANSWERED) => Some(outcome.row()),
        status => {
            assert_eq!(status, Some(wire::status::INVALID_CAPABILITY));
            None
        }
    }
}

#[test]
fn attack_05_a_guessed_replayed_or_foreign_token_is_invalid_and_has_no_effect() {
    let _watchdog = Watchdog::start(LIMIT);
    let town = || Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start");
    let (mut here, mut elsewhere) = (town(), town());
    let mut villain = here.villain();
    let object = villain.call(Row::FIRST, service::MINT, &[]).row();
    let before = here.census();
    let portal = villain.open(object).expect("the socket has room");
    let (token, channel) = socket::ticket(&portal).expect("it is taken up");
    let mut random = Random::new(5);
    let near = [0, 1, u64::MAX, token.wrapping_add(1), token.wrapping_sub(1), !token, token.swap_bytes()];
    for guess in near.into_iter().chain((0..1_000).map(|_| random.word())) {
        assert_eq!(present(&mut villain, guess), None, "{guess:#x}");
    }
    assert_eq!(present(&mut elsewhere.villain(), token), None, "it is another entrypoint's");
    // What is no call of the system at all.
    for (opcode, length) in [(wire::FOLD, 0), (wire::FOLD, 7), (wire::FOLD, 9), (2, 8), (u32::MAX, 8)] {
        let outcome = villain.call(wire::SYSTEM, opcode, &[7; 9][..length]);
        assert_eq!(outcome.status(), Some(wire::status::INVALID_CAPABILITY));
    }
    // Good once, for a row of what the portal is for: the one that it has there already.
    assert_eq!(present(&mut villain, token), Some(object));
    assert_eq!(present(&mut villain, token), None, "it was presented before");
    villain.release(object, 1);
    drop((portal, channel));
    // That of a portal that is gone.
    let portal = villain.open(object).expect("the socket has room");
    let (late, channel) = socket::ticket(&portal).expect("it is taken up");
    drop((portal, channel));
    assert!(eventually(|| here.census().channels == before.channels));
    assert_eq!(present(&mut villain, late), None, "its portal is closed");
    // That of an object that is gone.
    let portal = villain.open(object).expect("the socket has room");
    let (dead, channel) = socket::ticket(&portal).expect("it is taken up");
    let _ = villain.call(object, service::DISSOLVE, &[]).data();
    assert_eq!(present(&mut villain, dead), None, "its object was dissolved");
    drop((portal, channel));
    assert!(villain.is_welcome(), "a wrong token is an error and no reason to end a channel");
    assert!(eventually(|| here.census().rows == before.rows && here.census().channels == before.channels));
    drop(villain);
    here.assert_unharmed();
    elsewhere.assert_unharmed();
}

/// A client that keeps the rules, and sends while its server reads: what came meanwhile refers to what came meanwhile.
#[test]
fn releases_and_openings_without_a_pause_are_no_violation() {
    const ROUNDS: u32 = 1_000;
    const AT_ONCE: usize = 16;
    let _watchdog = Watchdog::start(LIMIT);
    let mut town = Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start");
    let mut client = town.villain();
    for round in 0..ROUNDS {
        let mint = |_| client.call(Row::FIRST, service::MINT, &[]).row();
        for row in (0..AT_ONCE).map(mint).collect::<Vec<_>>() {
            drop(client.open(Row::FIRST).expect("the socket has room"));
            client.release(row, 1);
        }
        assert!(client.is_welcome(), "round {round}");
    }
    drop(client);
    town.assert_unharmed();
}
