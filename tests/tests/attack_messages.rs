//! Attacks 1, 2, 5 and 8 on a server: messages that allege what is not so.

use portcullis_tests::villain::client::{Outcome, RawClient};
use portcullis_tests::villain::random::Random;
use portcullis_tests::villain::service;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::wire::{self, Kind, Row, State};
use portcullis_tests::villain::{memory, socket};
use std::os::fd::{AsFd, OwnedFd};

fn town() -> Town {
    Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start")
}

/// Publishes a state word over an otherwise good echo, in a channel of its own; the server must close it.
fn assert_thrown_out_for(town: &mut Town, what: &str, change: impl FnOnce(State) -> u64) {
    let mut villain = town.villain();
    let state = villain.fill(3, Row::FIRST, service::POKE, b"12345678", &[]);
    villain.memory.store(wire::request(3), change(state));
    villain.announce(1 << 3);
    assert!(villain.is_thrown_out(), "the server put up with {what}");
    assert_eq!(villain.outcome(3, std::time::Duration::ZERO), Outcome::Closed, "{what} was answered");
}

#[test]
fn attack_01_a_length_beyond_the_message_closes_the_channel() {
    let mut town = town();
    for length in [1025, 1026, 1032, 1536, 2047] {
        assert_thrown_out_for(&mut town, &format!("length {length}"), |state| {
            State { length, ..state }.encode()
        });
    }
    // Wider than the field: what spills over alleges slots of unknown kinds as well.
    assert_thrown_out_for(&mut town, "length 2^32-1", |state| State { length: u32::MAX, ..state }.encode());
    assert_thrown_out_for(&mut town, "all bits", |_| u64::MAX);
    assert_eq!(town.census().pokes, 0, "a refused message had an effect");
    town.assert_unharmed();
}

#[test]
fn attack_01_the_longest_message_is_no_attack() {
    let mut town = town();
    let mut villain = town.villain();
    let longest = [7; wire::MAX_DATA];
    assert_eq!(villain.call(Row::FIRST, service::ECHO, &longest).data(), longest);
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_01_slots_of_unknown_kinds_close_the_channel() {
    let mut town = town();
    // A reserved kind, and a used slot behind an unused one.
    for kinds in [0b11, 0b1101, 0b11_00_00_00, 0b01_00, 0b10_00_01, 0xff] {
        assert_thrown_out_for(&mut town, &format!("kinds {kinds:#b}"), |state| {
            State { kinds, ..state }.encode()
        });
    }
    assert_eq!(town.census().pokes, 0, "a refused message had an effect");
    town.assert_unharmed();
}

/// The kinds of slots whose descriptors come beside the message.
const CARRIED: [Kind; 2] = [Kind::Portal, Kind::Dataspace];

/// Sends `sent` sockets for a request that alleges `alleged` capabilities of that kind.
fn allege(villain: &mut RawClient, kind: Kind, sent: usize, alleged: usize) {
    let ends: Vec<OwnedFd> =
        (0..sent).map(|_| socket::pair().expect("the system grants sockets").0).collect();
    let borrowed: Vec<_> = ends.iter().map(AsFd::as_fd).collect();
    let slots = vec![(kind, 0); alleged];
    let state = villain.fill(2, Row::FIRST, service::POKE, &[], &slots);
    if sent != 0 {
        villain.send(&wire::portals(2, state.sequence), &borrowed).expect("the socket has room");
    }
    villain.publish(2, state);
}

#[test]
fn attack_02_a_count_of_capabilities_that_is_not_that_of_the_descriptors_closes_the_channel() {
    let mut town = town();
    for kind in CARRIED {
        for (sent, alleged) in [(0, 1), (0, 4), (1, 2), (2, 1), (4, 3), (3, 4)] {
            let mut villain = town.villain();
            allege(&mut villain, kind, sent, alleged);
            assert!(villain.is_thrown_out(), "{sent} descriptors came for {alleged} slots of {kind:?}");
        }
    }
    assert_eq!(town.census().pokes, 0, "a refused message had an effect");
    town.assert_unharmed();
}

#[test]
fn attack_02_a_count_of_descriptors_that_fits_is_no_attack() {
    let mut town = town();
    let mut villain = town.villain();
    for kind in CARRIED {
        for count in 1..=4 {
            allege(&mut villain, kind, count, count);
            let outcome = villain.outcome(2, portcullis_tests::villain::client::PATIENCE);
            assert_eq!(outcome.status(), Some(wire::status::ANSWERED));
        }
    }
    assert_eq!(town.census().pokes, 8);
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_02_messages_with_too_many_or_too_few_descriptors_close_the_channel() {
    let mut town = town();
    let spare = socket::pair().expect("the system grants sockets").0;
    let messages = [
        ("hello", wire::hello(), &[0, 1, 2, 3, 253][..]),
        ("open", wire::open(Row::FIRST), &[0, 2, 4, 253]),
        ("portals", wire::portals(0, 1), &[0, 5, 253]),
    ];
    for (name, bytes, counts) in messages {
        for &count in counts {
            let mut villain = town.villain();
            let descriptors = vec![spare.as_fd(); count];
            villain.send(&bytes, &descriptors).expect("the socket has room");
            villain.announce(wire::PENDING_SOCKET);
            assert!(villain.is_thrown_out(), "{name} with {count} descriptors was put up with");
        }
    }
    town.assert_unharmed();
}

#[test]
fn attack_05_a_forged_stale_or_guessed_name_is_invalid_and_has_no_effect() {
    let mut town = town();
    let mut villain = town.villain();
    let mut random = Random::new(5);
    let granted = villain.call(Row::FIRST, service::MINT, &[]).row();
    let _ = villain.call(granted, service::POKE, &[]).data();

    let stale = villain.call(Row::FIRST, service::MINT, &[]).row();
    let _ = villain.call(stale, service::DISSOLVE, &[]).data();
    let released = villain.call(Row::FIRST, service::MINT, &[]).row();
    villain.release(released, 1);

    let mut names = vec![
        stale,
        released,
        Row { generation: 0, ..Row::FIRST },
        Row { generation: 2, ..Row::FIRST },
        Row { generation: u32::MAX, ..Row::FIRST },
        Row { generation: granted.generation.wrapping_add(1), ..granted },
        Row { generation: granted.generation.wrapping_sub(1), ..granted },
        Row { index: u32::MAX, generation: 1 },
        Row { index: 1 << 31, generation: 1 },
    ];
    names.extend((granted.index + 4..granted.index + 200).map(|index| Row { index, generation: 1 }));
    names.extend((0..2_000).map(|_| Row::decode(random.word())).filter(|row| row.index > 3));
    for name in names {
        let outcome = villain.call(name, service::POKE, &[]);
        assert_eq!(outcome.status(), Some(wire::status::INVALID_CAPABILITY), "{name:?}");
        let outcome = villain.call_in(1, Row::FIRST, service::POKE, &[], &[(Kind::Row, name.encode())]);
        assert_eq!(outcome.status(), Some(wire::status::INVALID_CAPABILITY), "{name:?} as an argument");
    }
    assert_eq!(town.census().pokes, 1, "only the call through the row that was granted has an effect");
    assert!(villain.is_welcome(), "a wrong name is an error and no reason to end a channel");
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_05_a_name_of_another_channel_is_invalid() {
    let mut town = town();
    let (mut rich, mut poor) = (town.villain(), town.villain());
    let rows: Vec<Row> = (0..8).map(|_| rich.call(Row::FIRST, service::MINT, &[]).row()).collect();
    for row in rows {
        assert_eq!(poor.call(row, service::POKE, &[]).status(), Some(wire::status::INVALID_CAPABILITY));
        assert_eq!(rich.call(row, service::POKE, &[]).status(), Some(wire::status::ANSWERED));
    }
    assert_eq!(town.census().pokes, 8);
    assert_eq!(town.census().objects, 9, "a dead name brings no object back");
    drop((rich, poor));
}

#[test]
fn attack_05_a_portal_to_a_forged_name_is_dead() {
    let mut town = town();
    let mut villain = town.villain();
    let channels = town.census().channels;
    let mut random = Random::new(55);
    for _ in 0..100 {
        let name = Row { index: 1 + random.half() / 2, generation: random.half() };
        let portal = villain.open(name).expect("the socket has room");
        assert!(socket::closes(&portal, portcullis_tests::villain::client::PATIENCE), "{name:?} was opened");
    }
    assert!(
        villain.is_welcome(),
        "a dead name is no violation: its object may have been dissolved meanwhile"
    );
    assert_eq!(town.census().channels, channels);
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_08_descriptors_beside_other_bytes_close_the_channel() {
    let mut town = town();
    let (spare, _other) = socket::pair().expect("the system grants sockets");
    let file = memory::sealed_file(4096).expect("the system grants memory");
    let longer = [wire::hello().as_slice(), &[0]].concat();
    let messages: [(&str, &[u8]); 10] = [
        ("a doorbell", &wire::DOORBELL),
        ("a wrong doorbell", &[1]),
        ("half a hello", &wire::hello()[..8]),
        ("a longer hello", &longer),
        ("a greeting, which is the server's", &wire::greeting(7)),
        ("a token, which is the server's", &wire::control(5, 0, 0, 7)),
        ("an unknown kind", &wire::control(6, 0, 0, 0)),
        ("no kind", &wire::control(0, 0, 0, 0)),
        ("a lane that is not there", &wire::portals(16, 1)),
        ("a sequence that cannot be", &wire::control(3, 0, 0, 1 << 32)),
    ];
    for (name, bytes) in messages {
        for descriptor in [&spare, &file] {
            let mut villain = town.villain();
            villain.send(bytes, &[descriptor.as_fd()]).expect("the socket has room");
            villain.announce(wire::PENDING_SOCKET);
            assert!(villain.is_thrown_out(), "a descriptor beside {name} was put up with");
        }
    }
    town.assert_unharmed();
}

#[test]
fn attack_08_portals_of_another_lane_or_another_call_close_the_channel() {
    let mut town = town();
    let (spare, _other) = socket::pair().expect("the system grants sockets");
    for (lane, ahead) in [(5, 0), (4, 1), (4, u32::MAX), (4, 1 << 31)] {
        let mut villain = town.villain();
        let state = villain.fill(4, Row::FIRST, service::POKE, &[], &[(Kind::Portal, 0)]);
        let tag = wire::portals(lane, state.sequence.wrapping_add(ahead));
        villain.send(&tag, &[spare.as_fd()]).expect("the socket has room");
        villain.publish(4, state);
        assert!(villain.is_thrown_out(), "portals of lane {lane}, call +{ahead} were taken for another's");
    }
    assert_eq!(town.census().pokes, 0);
    town.assert_unharmed();
}

#[test]
fn attack_08_portals_twice_for_one_message_close_the_channel() {
    let mut town = town();
    let (spare, _other) = socket::pair().expect("the system grants sockets");
    let mut villain = town.villain();
    for _ in 0..2 {
        villain.send(&wire::portals(1, 1), &[spare.as_fd()]).expect("the socket has room");
    }
    villain.announce(wire::PENDING_SOCKET);
    assert!(villain.is_thrown_out());
    town.assert_unharmed();
}

#[test]
fn attack_08_a_portal_that_is_no_connected_unix_socket_closes_the_channel() {
    let mut town = town();
    let (pipe, _writer) = rustix::pipe::pipe().expect("the system grants pipes");
    let lonely = socket::lonely().expect("the system grants sockets");
    let tcp: OwnedFd = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").into();
    let datagrams = socket::datagram().expect("the system grants sockets");
    let file = memory::sealed_file(4096).expect("the system grants memory");
    for (name, impostor) in [
        ("a pipe", &pipe),
        ("an unconnected socket", &lonely),
        ("TCP", &tcp),
        ("datagrams", &datagrams),
        ("a file", &file),
    ] {
        let mut villain = town.villain();
        let state = villain.fill(0, Row::FIRST, service::POKE, &[], &[(Kind::Portal, 0)]);
        villain.send(&wire::portals(0, state.sequence), &[impostor.as_fd()]).expect("the socket has room");
        villain.publish(0, state);
        assert!(villain.is_thrown_out(), "{name} passed for a portal");

        let mut villain = town.villain();
        villain.send(&wire::open(Row::FIRST), &[impostor.as_fd()]).expect("the socket has room");
        villain.announce(wire::PENDING_SOCKET);
        assert!(villain.is_thrown_out(), "{name} passed for a portal to be opened");
    }
    assert_eq!(town.census().pokes, 0);
    town.assert_unharmed();
}
