//! A million forged, stale, foreign and random names and lengths each, random states, random messages on the socket
//! with random descriptors, random introductions: an error reply or a closed channel, never a panic or a hang, and a
//! bystander who sees nothing of it.

use portcullis_tests::villain::client::{Outcome, PATIENCE, RawClient};
use portcullis_tests::villain::random::Random;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::wire::{self, Kind, Row, State, status};
use portcullis_tests::villain::{memory, service, socket};
use portcullis_tests::watchdog::Watchdog;
use rustix::fs::{MemfdFlags, SealFlags};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

const MILLION: usize = 1_000_000;

fn town() -> (Town, Watchdog) {
    let town = Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start");
    (town, Watchdog::start(Duration::from_secs(300)))
}

/// A million calls under names that the closure draws, in all lanes at once: every one is refused, none has an effect.
fn assert_a_million_refused(town: &mut Town, villain: &mut RawClient, mut name: impl FnMut(usize) -> Row) {
    for batch in 0..MILLION / wire::LANES {
        for lane in 0..wire::LANES {
            let number = batch * wire::LANES + lane;
            // Half of them as the target, half as an argument of a good call.
            let (target, slots) = match number % 2 {
                0 => (name(number), None),
                _ => (Row::FIRST, Some((Kind::Row, name(number).encode()))),
            };
            let state = villain.fill(lane, target, service::POKE, &[], slots.as_slice());
            villain.memory.store(wire::request(lane), state.encode());
        }
        villain.announce(0xffff);
        for lane in 0..wire::LANES {
            let outcome = villain.outcome(lane, PATIENCE);
            assert_eq!(outcome.status(), Some(status::INVALID_CAPABILITY), "in batch {batch}");
        }
    }
    assert_eq!(town.census().pokes, 0, "a refused name had an effect");
}

#[test]
fn attack_05_a_million_forged_names() {
    let (mut town, _watchdog) = town();
    let mut villain = town.villain();
    let granted: Vec<Row> = (0..64).map(|_| villain.call(Row::FIRST, service::MINT, &[]).row()).collect();
    let mut random = Random::new(1);
    // Right places with wrong generations, and the places beside them.
    assert_a_million_refused(&mut town, &mut villain, |number| match number % 3 {
        0 => Row { generation: random.half().max(2), ..granted[random.below(64)] },
        1 => Row { generation: 0, ..granted[random.below(64)] },
        _ => Row { index: granted[63].index + 1 + random.half() % 64, generation: 1 },
    });
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_05_a_million_stale_names() {
    let (mut town, _watchdog) = town();
    let mut villain = town.villain();
    let mut random = Random::new(2);
    // Objects that ended while their rows are held, and rows that were given back and granted again.
    let stale: Vec<Row> = (0..512)
        .map(|number| {
            let row = villain.call(Row::FIRST, service::MINT, &[]).row();
            match number % 2 {
                0 => drop(villain.call(row, service::DISSOLVE, &[]).data()),
                _ => villain.release(row, 1),
            }
            row
        })
        .collect();
    while town.census().rows > 3 + 256 {}
    let living: Vec<Row> = (0..256).map(|_| villain.call(Row::FIRST, service::MINT, &[]).row()).collect();
    assert!(living.iter().all(|row| !stale.contains(row)), "a name was used again");
    assert_a_million_refused(&mut town, &mut villain, |_| stale[random.below(512)]);
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_05_a_million_foreign_names() {
    let (mut town, _watchdog) = town();
    let (mut rich, mut poor) = (town.villain(), town.villain());
    let rows: Vec<Row> = (0..1_000).map(|_| rich.call(Row::FIRST, service::MINT, &[]).row()).collect();
    let mut random = Random::new(3);
    assert_a_million_refused(&mut town, &mut poor, |_| rows[random.below(1_000)]);
    assert_eq!(rich.call(rows[7], service::POKE, &[]).status(), Some(status::ANSWERED));
    drop((rich, poor));
    town.assert_unharmed();
}

#[test]
fn attack_05_a_million_random_names() {
    let (mut town, _watchdog) = town();
    let mut villain = town.villain();
    let mut random = Random::new(4);
    let mut name = || loop {
        let name = Row::decode(random.word());
        if name != Row::FIRST {
            break name;
        }
    };
    assert_a_million_refused(&mut town, &mut villain, |_| name());
    drop(villain);
    town.assert_unharmed();
}

/// A million state words that the closure makes of good ones, sixteen at a time: each is answered, or ends the channel.
/// Answers how often it ended.
fn storm_of_states(town: &mut Town, mut change: impl FnMut(State) -> u64) -> usize {
    let (mut villain, mut ends) = (town.villain(), 0);
    for _ in 0..MILLION / wire::LANES {
        for lane in 0..wire::LANES {
            let state = villain.fill(lane, Row::FIRST, service::ECHO, &[], &[]);
            let word = change(state);
            villain.sequences[lane] = State::decode(word).sequence;
            villain.memory.store(wire::request(lane), word);
        }
        villain.announce(0xffff);
        let closed = (0..wire::LANES).any(|lane| match villain.outcome(lane, PATIENCE) {
            Outcome::Closed => true,
            Outcome::Reply { .. } => false,
            Outcome::Silence => panic!("neither an answer nor an end"),
        });
        if closed {
            ends += 1;
            villain = newcomer(town);
        }
    }
    drop(villain);
    assert_eq!(town.census().pokes, 0);
    ends
}

fn newcomer(town: &mut Town) -> RawClient {
    RawClient::connect(town.channel().expect("the server takes the portal up"))
        .expect("a villain introduces itself")
}

#[test]
fn attack_01_a_million_random_lengths() {
    let (mut town, _watchdog) = town();
    let mut random = Random::new(5);
    let ends = storm_of_states(&mut town, |state| {
        // Most of them legal, so that the storm goes on for more than a lane or two.
        let most = if random.below(32) == 0 { 2048 } else { 1025 };
        State { length: random.half() % most, ..state }.encode()
    });
    assert!(ends > 1_000, "only {ends} channels ended by a length");
    town.assert_unharmed();
}

#[test]
fn attack_11_a_million_random_states() {
    let (mut town, _watchdog) = town();
    let mut random = Random::new(6);
    let ends = storm_of_states(&mut town, |state| match random.below(4) {
        // All of it random, but not the sequence of the call before, which says that there is nothing new.
        0 => random.word() & !0xffff_ffff | u64::from(state.sequence),
        1 => random.word() & 0x1fff_f8ff_ffff_ffff | 1 << 30,
        _ => state.encode() ^ 1 << (32 + random.below(11)),
    });
    assert!(ends > 1_000, "only {ends} channels ended by a state");
    town.assert_unharmed();
}

/// Descriptors of every kind that a villain finds at home, and the other end of the socket among them.
fn things() -> (Vec<OwnedFd>, OwnedFd) {
    let (pipe, writer) = rustix::pipe::pipe().expect("the system grants pipes");
    let (one, other) = socket::pair().expect("the system grants sockets");
    let file = std::fs::File::open("/proc/self/exe").expect("a program has a file");
    let folder = std::fs::File::open("/").expect("there is a root");
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let counter = rustix::event::eventfd(0, rustix::event::EventfdFlags::empty()).expect("a counter");
    let good = memory::sealed_file(wire::CHANNEL_BYTES).expect("memory");
    let datagrams = socket::datagram().expect("sockets");
    let lonely = socket::lonely().expect("a socket");
    let things =
        vec![pipe, writer, one, good, file.into(), folder.into(), tcp.into(), counter, datagrams, lonely];
    (things, other)
}

#[test]
fn attack_08_a_hundred_thousand_random_messages_with_random_descriptors() {
    let (mut town, _watchdog) = town();
    let (things, other) = things();
    let mut random = Random::new(7);
    let mut villain = town.villain();
    let mut ends = 0;
    for number in 0..100_000 {
        let lane = random.below(17);
        let mut bytes = match random.below(8) {
            0 => (0..random.below(40)).map(|_| random.word().to_le_bytes()[0]).collect(),
            1 => wire::hello().to_vec(),
            2 => wire::open(Row::decode(random.word())).to_vec(),
            3 => wire::open(Row::FIRST).to_vec(),
            4 => wire::DOORBELL.to_vec(),
            _ => wire::portals(lane, random.half() % 4).to_vec(),
        };
        if random.below(8) == 0 && !bytes.is_empty() {
            let place = random.below(bytes.len());
            bytes[place] ^= 1 << random.below(8);
        }
        let count = match random.below(64) {
            0 => 253,
            many => many % 6,
        };
        // Often what is wanted, so that some of it is taken.
        let thing = |random: &mut Random| match random.below(3) {
            0 => things[random.below(things.len())].as_fd(),
            _ => things[2].as_fd(),
        };
        let descriptors: Vec<BorrowedFd<'_>> = (0..count).map(|_| thing(&mut random)).collect();
        let sent = villain.send(&bytes, &descriptors);
        villain.announce(wire::PENDING_SOCKET);
        // Closed, or full for now; or time for the server to look at some of it, so that it is not all behind the first
        // violation.
        if (sent.is_err() || number % 16 == 0) && socket::closes(&villain.socket, Duration::from_millis(1)) {
            ends += 1;
            villain = newcomer(&mut town);
        }
    }
    assert!(ends > 1_000, "only {ends} channels ended");
    drop((villain, things, other));
    town.assert_unharmed();
}

/// A random file for an introduction, and whether a server may take it.
fn random_memory(random: &mut Random, things: &[OwnedFd]) -> (OwnedFd, bool) {
    let clone = |thing: &OwnedFd| thing.try_clone().expect("the system grants descriptors");
    if random.below(4) == 0 {
        let which = random.below(things.len());
        return (clone(&things[which]), which == 3);
    }
    let huge = random.below(8) == 0;
    let flags = if huge { MemfdFlags::HUGETLB } else { MemfdFlags::empty() };
    let file = rustix::fs::memfd_create("villain", flags | MemfdFlags::ALLOW_SEALING).expect("a memory file");
    let bytes = match random.below(4) {
        _ if huge => 2 << 20,
        0 => random.below(1 << 20) as u64,
        1 => [0, 1, 4096, wire::CHANNEL_BYTES as u64 - 1, wire::CHANNEL_BYTES as u64 + 4096][random.below(5)],
        _ => wire::CHANNEL_BYTES as u64,
    };
    let sparse = random.below(3) == 0;
    let sized = match sparse {
        true => rustix::fs::ftruncate(&file, bytes),
        false => rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes.max(1)),
    };
    let seals = [SealFlags::SHRINK, SealFlags::GROW, SealFlags::SEAL];
    let chosen: SealFlags = seals.into_iter().filter(|_| random.below(6) != 0).collect();
    let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    let writable = random.below(8) != 0;
    let sealed =
        rustix::fs::fcntl_add_seals(&file, if writable { chosen } else { chosen | SealFlags::WRITE });
    let good = !huge
        && bytes == wire::CHANNEL_BYTES as u64
        && !sparse
        && writable
        && chosen == all
        && sized.and(sealed).is_ok();
    (file, good)
}

#[test]
fn attack_09_random_introductions() {
    let (mut town, _watchdog) = town();
    let (things, other) = things();
    let mut random = Random::new(8);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..3_000 {
        let portal = town.channel().expect("the server takes the portal up");
        let (file, mut good) = random_memory(&mut random, &things);
        let mut descriptors = vec![file.as_fd()];
        if random.below(3) == 0 {
            let which = random.below(things.len());
            descriptors.push(things[which].as_fd());
            // The write end of a pipe is a pipe; it never rings.
            good &= which < 2;
        }
        let mut bytes = wire::hello();
        if random.below(8) == 0 {
            bytes[random.below(16)] ^= 1 << random.below(8);
            good = false;
        }
        socket::send(&portal, &bytes, &descriptors).expect("the socket has room");
        if good {
            let memory = memory::Memory::map(&file, wire::CHANNEL_BYTES).expect("good memory can be mapped");
            let mut villain = RawClient::over(portal, memory);
            assert!(villain.is_welcome(), "good memory was refused");
            taken += 1;
        } else {
            assert!(socket::closes(&portal, PATIENCE), "bad memory was taken");
            refused += 1;
        }
    }
    assert!(taken > 100 && refused > 1_000, "{taken} taken, {refused} refused");
    drop((things, other));
    town.assert_unharmed();
}
