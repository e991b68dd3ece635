//! Attacks 17 to 20 on a server: what its clients do to the means by which it is woken.

use portcullis_ipc::{Capability, Deadline, Error, MsgBuf, Pd};
use portcullis_tests::stopped::Stopped;
use portcullis_tests::villain::client::RawClient;
use portcullis_tests::villain::service::Census;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::{self, Row};
use portcullis_tests::villain::{service, socket};
use rustix::event::EventfdFlags;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a call may take on a machine that is busy with other tests, storm or none.
const BOUND: Duration = Duration::from_secs(10);
const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

fn town() -> Town {
    Town::start(VICTIM).expect("the honest processes start")
}

/// A villain who rings by a pipe, and both ends of it.
fn villain_with_pipe(town: &mut Town) -> (RawClient, std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
    let portal = town.channel().expect("the server takes the portal up");
    let (reader, writer) = rustix::pipe::pipe().expect("the system grants pipes");
    let mut villain = RawClient::connect_with_bell(portal, Some(reader.as_fd())).expect("a villain connects");
    assert!(villain.is_welcome());
    (villain, reader, writer)
}

/// Runs an attack again and again in a thread, while the closure looks on.
fn meanwhile(attack: impl Fn() + Sync, mut look: impl FnMut()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                attack();
            }
        });
        // The attack ends even if a look finds something wrong.
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&mut look));
        over.store(true, Ordering::Relaxed);
        if let Err(found) = looked {
            std::panic::resume_unwind(found);
        }
    });
}

/// The bystander is served, and so is one who comes only now.
fn assert_old_and_new_clients_are_served(town: &mut Town) {
    for _ in 0..10 {
        town.assert_bystander_unharmed();
    }
    let (process, mut late) = Town::start_bystander(VICTIM, &mut town.launcher).expect("one more bystander");
    let calls = |late: &mut RawClient| Town::report_of(late).calls;
    let served = eventually(|| calls(&mut late) > 200);
    let report = Town::report_of(&mut late);
    assert!(served && report.errors == 0, "who came during the storm fares like this: {report:?}");
    for slowest in [report.slowest, town.report().slowest] {
        assert!(slowest < BOUND, "a call took {slowest:?} during the storm");
    }
    drop(process);
}

#[test]
fn attack_18_an_event_counter_is_no_doorbell() {
    let mut town = town();
    let counter = rustix::event::eventfd(0, EventfdFlags::CLOEXEC).expect("the system grants counters");
    // One more and a writer blocks.
    rustix::io::write(&counter, &(u64::MAX - 1).to_ne_bytes()).expect("an empty counter takes that");
    let epoll = rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC).expect("epoll");
    let (spare, _other) = socket::pair().expect("the system grants sockets");
    for impostor in [&counter, &epoll, &spare] {
        let portal = town.channel().expect("the server takes the portal up");
        let villain =
            RawClient::connect_with_bell(portal, Some(impostor.as_fd())).expect("a villain connects");
        assert!(villain.is_thrown_out(), "something passed for a pipe");
    }
    town.assert_unharmed();
}

#[test]
fn attack_19_a_drained_pipe_costs_nobody_else_a_wake() {
    let mut town = town();
    let (mut villain, reader, writer) = villain_with_pipe(&mut town);
    meanwhile(
        || {
            let _ = rustix::io::write(&writer, &[0]);
            let _ = rustix::io::read(&reader, &mut [0]);
        },
        || assert_old_and_new_clients_are_served(&mut town),
    );
    assert!(villain.is_welcome());
    drop((villain, reader, writer));
    town.assert_unharmed();
}

#[test]
fn attack_19_a_doorbell_that_is_rung_full_wakes_the_server_all_the_same() -> Result<(), Error> {
    const OBJECTS: usize = 4_000;
    let pd = Pd::new()?;
    let mut command = Command::new(VICTIM);
    command.arg("serve");
    let (child, server) = pd.spawn(command)?;
    let ask = |capability: &Capability, opcode: u32| {
        let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        send.set_method(opcode, 0);
        capability.call_with(&send, &mut receive, Deadline::After(BOUND)).map(|()| receive)
    };
    let mut objects = Vec::new();
    for _ in 0..OBJECTS {
        objects.extend(ask(&server, service::MINT)?.take(0));
    }
    for round in 0..3 {
        // Each of these asks the server to look, while it cannot: more rings than a socket holds.
        let stopped = Stopped::stop(child.id())?;
        objects.truncate(OBJECTS - (round + 1) * OBJECTS / 4);
        drop(stopped);
        // Long enough for it to do what it was asked for, and to sleep again.
        std::thread::sleep(Duration::from_millis(100));
        ask(&server, service::ECHO)?;
    }
    objects.clear();
    // All of it comes back, though most of it found no room in the ring while the server could not look.
    let mut rows = u32::MAX;
    let all_back = eventually(|| {
        rows = ask(&server, service::CENSUS).map_or(rows, |reply| Census::decode(reply.data()).rows);
        rows == 1
    });
    assert!(all_back, "the server still holds {rows} rows");
    Ok(())
}

#[test]
fn attack_22_no_futex_that_trusts_its_word_is_ever_used() {
    let mut town = town();
    // Every thread that server and bystander will have is started: one of them closes what violators leave behind.
    let violator = town.villain();
    socket::send(&violator.socket, &[1, 2, 3], &[]).expect("the socket has room");
    violator.announce(wire::PENDING_SOCKET);
    assert!(violator.is_thrown_out());
    drop(violator);
    town.assert_bystander_unharmed();
    town.confine();

    // Sleeping and waking on both sides, with every word in the villain's memory that of a dead owner with waiters.
    for round in 0..50 {
        let mut villain = town.villain();
        for word in 0..wire::CHANNEL_BYTES / 8 {
            if word != wire::request(0) && word != wire::reply(0) {
                villain
                    .memory
                    .store(word, if word == wire::RELEASE_HEAD { 0 } else { 0xffff_ffff_c000_0000 });
            }
        }
        villain.ring();
        let held = villain.fill(0, Row::FIRST, service::HOLD, &[], &[]);
        villain.publish(0, held);
        let _ = town.launcher.call(Row::FIRST, service::ANSWER_ALL, &[]).data();
        drop(villain);
        assert!(town.server.is_alive(), "the server used a forbidden operation in round {round}");
        town.assert_bystander_unharmed();
    }
    let _ = town.launcher.call(Row::FIRST, service::ANSWER_ALL, &[]).data();
    town.assert_unharmed();
}

#[test]
fn attack_20_a_storm_on_the_socket_holds_nobody_up() {
    let mut town = town();
    let villain = town.villain();
    meanwhile(
        || {
            villain.ring();
            villain.memory.set(wire::PENDING, wire::PENDING_SOCKET);
        },
        || assert_old_and_new_clients_are_served(&mut town),
    );
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_20_a_storm_on_the_pipe_holds_nobody_up() {
    let mut town = town();
    let (villain, reader, writer) = villain_with_pipe(&mut town);
    rustix::io::ioctl_fionbio(&writer, true).expect("it is ours");
    meanwhile(
        || {
            if rustix::io::write(&writer, &[0; 64]).is_err() {
                let _ = rustix::io::read(&reader, &mut [0; 4096]);
            }
        },
        || assert_old_and_new_clients_are_served(&mut town),
    );
    drop((villain, reader, writer));
    town.assert_unharmed();
}

#[test]
fn attack_20_a_storm_in_the_memory_holds_nobody_up() {
    let mut town = Town::start_with(VICTIM, &["serve", "block"]).expect("the honest processes start");
    for bits in [u64::MAX, 1, wire::PENDING_RELEASES, wire::PENDING_SOCKET] {
        // Several, so that at any moment one of them has something pending, whichever the server has just looked at.
        let villains: Vec<RawClient> = (0..8).map(|_| town.villain()).collect();
        meanwhile(
            || {
                villains.iter().for_each(RawClient::ring);
                for _ in 0..1_000 {
                    villains.iter().for_each(|villain| villain.memory.store(wire::PENDING, bits));
                }
            },
            || assert_old_and_new_clients_are_served(&mut town),
        );
    }
    town.assert_unharmed();
}

#[test]
fn attack_20_a_storm_of_calls_holds_nobody_up() {
    let mut town = town();
    let villains: Vec<_> = (0..4).map(|_| std::sync::Mutex::new(town.villain())).collect();
    meanwhile(
        || {
            for villain in &villains {
                let mut villain = villain.lock().expect("one thread storms");
                for lane in 0..wire::LANES {
                    let state = villain.fill(lane, Row::FIRST, service::POKE, &[], &[]);
                    villain.publish(lane, state);
                }
            }
        },
        || assert_old_and_new_clients_are_served(&mut town),
    );
    drop(villains);
    town.assert_unharmed();
}

#[test]
fn attack_20_a_client_that_asks_for_doorbells_and_never_reads_them_waits_alone() {
    let mut town = town();
    let mut villain = town.villain();
    villain.memory.set(wire::WAITING, u64::MAX);
    let answered =
        |villain: &mut RawClient| villain.call(Row::FIRST, service::ECHO, b"ring").data() == b"ring";
    // More than a socket holds.
    for _ in 0..2_000 {
        assert!(answered(&mut villain), "what finds no room is dropped");
        villain.memory.set(wire::WAITING, u64::MAX);
    }
    assert_old_and_new_clients_are_served(&mut town);
    // What must not be dropped finds no room either: it loses its channel, by its own doing.
    let _ = villain.call(Row::FIRST, service::PORTALS, &[1]);
    assert!(villain.is_thrown_out());
    drop(villain);
    town.assert_unharmed();
}
