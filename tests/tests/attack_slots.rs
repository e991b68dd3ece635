//! Attacks 7, 10, 11 and 16 on a server: memory that changes while it is looked at, and names that are used again.

use portcullis_tests::villain::client::{Outcome, PATIENCE, RawClient};
use portcullis_tests::villain::memory::Memory;
use portcullis_tests::villain::random::Random;
use portcullis_tests::villain::service;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::wire::{self, Kind, Row, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

fn town() -> Town {
    Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start")
}

/// A thread that changes a channel's memory without end, until this is dropped.
struct Tamper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tamper {
    fn with(memory: &Memory, mut change: impl FnMut(&Memory) + Send + 'static) -> Tamper {
        let (memory, stop) = (memory.clone(), Arc::<AtomicBool>::default());
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                change(&memory);
            }
        });
        Tamper { stop, thread: Some(thread) }
    }
}

impl Drop for Tamper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn attack_10_arguments_that_change_under_the_handler_are_a_private_copy() {
    let mut town = town();
    let mut villain = town.villain();
    let mut random = Random::new(10);
    let tamper = Tamper::with(&villain.memory, move |memory| {
        let data = wire::request(0) + wire::REQUEST_HEAD;
        memory.store(data + random.below(128), random.word());
    });
    for round in 0..5_000 {
        let length = [1024, 1024, 8, 1017][round % 4];
        let read = villain.call(Row::FIRST, service::READ_TWICE, &[0x5a; 1024][..length]).data();
        assert_eq!(read, [1], "two readings of the arguments differ in round {round}");
    }
    drop((tamper, villain));
    town.assert_unharmed();
}

#[test]
fn attack_10_a_length_that_changes_after_it_was_checked_is_not_looked_at_again() {
    let mut town = town();
    let mut rounds = 0;
    while rounds < 5_000 {
        let mut villain = town.villain();
        let tamper = Tamper::with(&villain.memory, |memory| {
            // Of whatever call is under way: sometimes more than there is room for, sometimes slots of bad kinds.
            for (length, kinds) in [(2047, 0), (1024, 0), (8, 0), (1024, 0b11), (1024, 0b01)] {
                let word = memory.load(wire::request(0));
                memory.replace(
                    wire::request(0),
                    word,
                    State { length, kinds, ..State::decode(word) }.encode(),
                );
            }
        });
        while rounds < 5_000 {
            rounds += 1;
            match villain.call(Row::FIRST, service::READ_TWICE, &[0x5a; 1024]) {
                Outcome::Reply { status: wire::status::ANSWERED, data, .. } => assert_eq!(data, [1]),
                Outcome::Reply { status, .. } => assert_eq!(status, wire::status::INVALID_CAPABILITY),
                Outcome::Closed => break,
                Outcome::Silence => panic!("neither an answer nor an end"),
            }
        }
        drop(tamper);
    }
    town.assert_unharmed();
}

#[test]
fn attack_11_a_held_call_is_answered_as_it_was_taken() {
    let mut town = town();
    let mut villain = town.villain();
    let held = villain.fill(2, Row::FIRST, service::HOLD, b"as it was taken", &[]);
    villain.publish(2, held);
    while Town::census(&mut town).held == 0 {}
    // The lane now says something else, in every field that the server has believed.
    let changed = State { length: 2047, kinds: 0xff, ..held };
    villain.memory.store(wire::request(2), changed.encode());
    villain.memory.store(wire::request(2) + 1, Row { index: 99, generation: 99 }.encode());
    villain.announce(1 << 2);
    let _ = town.launcher.call(Row::FIRST, service::ANSWER_ALL, &[]).data();
    assert_eq!(villain.outcome(2, PATIENCE).data(), b"as it was taken");
    assert!(villain.is_welcome(), "the same call twice is no new call, whatever it alleges");
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_11_states_that_flip_mid_call_cost_nobody_else_anything() {
    let mut town = town();
    let mut random = Random::new(11);
    for round in 0..20 {
        let mut villain = town.villain();
        let mut dice = Random::new(round);
        let tamper = Tamper::with(&villain.memory, move |memory| {
            let lane = dice.below(wire::LANES);
            let word = if dice.below(2) == 0 { wire::request(lane) } else { wire::reply(lane) };
            // One bit of what is there, so that most of it goes on looking right.
            memory.store(word, memory.load(word) ^ 1 << dice.below(64));
        });
        for _ in 0..500 {
            let lane = random.below(wire::LANES);
            let state = villain.fill(lane, Row::FIRST, service::ECHO, &[3; 100], &[]);
            villain.publish(lane, state);
            if portcullis_tests::villain::socket::closes(&villain.socket, std::time::Duration::ZERO) {
                break;
            }
        }
        drop(tamper);
        town.assert_bystander_unharmed();
    }
    town.assert_unharmed();
}

#[test]
fn attack_07_a_client_that_writes_its_own_replies_fools_only_itself() {
    let mut town = town();
    let mut villain = town.villain();
    let held = villain.fill(0, Row::FIRST, service::HOLD, b"the truth", &[]);
    // A reply that the server never gave, and one more of the call after.
    villain.memory.store(wire::reply(0), held.encode());
    villain.publish(0, held);
    while Town::census(&mut town).held == 0 {}
    let _ = town.launcher.call(Row::FIRST, service::ANSWER_ALL, &[]).data();
    let truth = || villain.outcome(0, PATIENCE);
    assert!(
        portcullis_tests::villain::victim::eventually(
            || matches!(truth(), Outcome::Reply { data, .. } if data == b"the truth")
        ),
        "the server's own reply comes all the same"
    );
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_16_a_place_that_is_used_again_does_not_answer_to_its_old_name() {
    let mut town = town();
    let mut villain = town.villain();
    let mut old: Vec<Row> = Vec::new();
    for round in 0..500 {
        let row = villain.call(Row::FIRST, service::MINT, &[]).row();
        assert!(!old.contains(&row), "a name came back in round {round}");
        assert_eq!(old.first().map_or(row.index, |first| first.index), row.index, "the place is used again");
        for stale in old.iter().rev().take(4) {
            let outcome = villain.call(*stale, service::POKE, &[]);
            assert_eq!(outcome.status(), Some(wire::status::INVALID_CAPABILITY), "{stale:?} reached {row:?}");
        }
        // Ended while the row is held, or given back while the object lives.
        if round % 2 == 0 {
            let _ = villain.call(row, service::DISSOLVE, &[]).data();
            assert_eq!(
                villain.call(row, service::POKE, &[]).status(),
                Some(wire::status::INVALID_CAPABILITY)
            );
        }
        villain.release(row, 1);
        // The release is taken up before this is answered or a turn later; the place must be free before we go on.
        while town.census().rows > 3 {}
        old.push(row);
    }
    assert_eq!(town.census().pokes, 0, "a stale name had an effect");
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_16_the_answer_to_a_call_of_a_former_channel_goes_nowhere() {
    let mut town = town();
    let hold = |villain: &mut RawClient, data: &[u8]| {
        let state = villain.fill(0, Row::FIRST, service::HOLD, data, &[]);
        villain.publish(0, state);
        state
    };
    for _ in 0..20 {
        let mut former = town.villain();
        let channels = town.census().channels;
        let asked = hold(&mut former, b"for the former");
        while town.census().held < 1 {}
        drop(former);
        while town.census().channels == channels {}
        // The same place in the server's table, the same lane, the same sequence.
        let mut latter = town.villain();
        let asked_again = hold(&mut latter, b"for the latter");
        assert_eq!(asked, asked_again);
        while town.census().held < 2 {}
        let _ = town.launcher.call(Row::FIRST, service::ANSWER_ALL, &[]).data();
        assert_eq!(latter.outcome(0, PATIENCE).data(), b"for the latter");
    }
    town.assert_unharmed();
}

#[test]
fn attack_16_a_lane_that_is_used_again_before_its_answer_gets_each_answer_once() {
    let mut town = town();
    let mut villain = town.villain();
    let first = villain.fill(7, Row::FIRST, service::HOLD, b"first", &[]);
    villain.publish(7, first);
    while town.census().held == 0 {}
    // The next call in the same lane, before the first is answered.
    let second = villain.fill(7, Row::FIRST, service::HOLD, b"second", &[(Kind::Row, Row::FIRST.encode())]);
    villain.publish(7, second);
    town.assert_bystander_unharmed();
    assert_eq!(town.census().held, 1, "a lane has one call at a time");
    let _ = town.launcher.call(Row::FIRST, service::ANSWER_ALL, &[]).data();
    // What was announced while the lane was busy may be forgotten.
    villain.announce(1 << 7);
    while town.census().held == 0 {}
    assert_eq!(State::decode(villain.memory.load(wire::reply(7))).sequence, first.sequence);
    let _ = town.launcher.call(Row::FIRST, service::ANSWER_ALL, &[]).data();
    assert_eq!(villain.outcome(7, PATIENCE).data(), b"second");
    drop(villain);
    town.assert_unharmed();
}
