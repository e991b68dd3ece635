//! Attacks 2, 8, 12 and 17 on a server, by what it shares with its clients in the kernel: open descriptions, their
//! options, and descriptors whose close takes as long as their sender likes.

use portcullis_tests::stopped::Stopped;
use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::{self, Kind, Row};
use portcullis_tests::villain::{memory, option, pipe, service, socket};
use rustix::process::Signal;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Longer than anybody here waits for anything.
const LINGER_SECONDS: u64 = 120;

fn town() -> Town {
    Town::start(env!("CARGO_BIN_EXE_victim")).expect("the honest processes start")
}

/// Has the server take up a portal of which a villain keeps both ends: there is nothing else that it shares with a client.
fn give(town: &mut Town, servers_end: &OwnedFd) {
    town.launcher.send(&wire::open(Row::FIRST), &[servers_end.as_fd()]).expect("the socket has room");
    town.launcher.announce(wire::PENDING_SOCKET);
}

#[test]
fn attack_02_descriptors_that_the_kernel_adds_on_a_villains_wish_are_closed() {
    let mut town = town();
    let (ours, servers_end) = socket::pair().expect("the system grants sockets");
    option::pass_pidfds(&servers_end).expect("the kernel knows SO_PASSPIDFD");
    rustix::net::sockopt::set_socket_passcred(&servers_end, true).expect("the kernel knows SO_PASSCRED");
    give(&mut town, &servers_end);
    let _channel = socket::ticket(&ours).expect("the server takes it up");
    let before = town.server.descriptors();
    for _ in 0..200 {
        // A portal that nobody holds the other end of.
        let (spare, _) = socket::pair().expect("the system grants sockets");
        socket::send(&ours, &wire::open(Row::FIRST), &[spare.as_fd()]).expect("the socket has room");
        drop(spare);
        let _ = town.census();
    }
    assert!(
        eventually(|| town.server.descriptors() <= before + 1),
        "descriptors pile up in the server: {} of them, {before} before",
        town.server.descriptors()
    );
    drop((ours, servers_end, _channel));
    town.assert_unharmed();
}

#[test]
fn attack_08_a_second_introduction_closes_the_channel_and_its_pipe_rings_no_more() {
    let mut town = town();
    for _ in 0..10 {
        let mut villain = town.villain();
        let file = memory::sealed_file(wire::CHANNEL_BYTES).expect("memory");
        let (reader, _writer) = rustix::pipe::pipe().expect("the system grants pipes");
        villain.send(&wire::hello(), &[file.as_fd(), reader.as_fd()]).expect("the socket has room");
        villain.announce(wire::PENDING_SOCKET);
        assert!(villain.is_thrown_out());
        drop(villain);
        // A copy of the pipe lives on, here: the server must not go on listening to it.
        town.assert_nothing_leaked();
        drop(reader);
    }
    town.assert_unharmed();
}

#[test]
fn attack_08_a_doorbell_whose_pipe_is_locked_holds_nobody_up() {
    for is_second in [false, true] {
        let mut town = town();
        let portal = town.channel().expect("the server takes the portal up");
        let (bell, taker) = pipe::locked().expect("the system grants pipes");
        let of_first = Some(bell.as_fd()).filter(|_| !is_second);
        let mut villain = RawClient::connect_with_bell(portal, of_first).expect("a villain connects");
        assert!(villain.is_welcome());
        // Ours is not the last copy, and is gone before the server looks.
        let stopped = Stopped::stop(town.server.id()).expect("it is ours");
        let file = memory::sealed_file(wire::CHANNEL_BYTES).expect("the system grants memory");
        villain.send(&wire::hello(), &[file.as_fd(), bell.as_fd()]).expect("the socket has room");
        drop(bell);
        villain.announce(wire::PENDING_SOCKET);
        drop(stopped);
        assert!(villain.is_thrown_out());
        drop(villain);
        let before = town.report().calls;
        let goes_on = eventually(|| town.report().calls > before + 1_000);
        assert!(goes_on, "the bystander was held up by a second introduction: {is_second}");
        drop(taker);
        town.assert_unharmed();
    }
}

#[test]
fn attack_08_a_server_asks_of_a_descriptor_only_what_its_sender_cannot_keep_waiting() {
    let mut town = town();
    assert_eq!(town.launcher.call(Row::FIRST, service::ASK_NOBODY, &[]).data(), [1]);
    let (pipe, _writer) = rustix::pipe::pipe().expect("the system grants pipes");
    let directory: OwnedFd = std::fs::File::open("/").expect("there is a root").into();
    let file = memory::sealed_file(4096).expect("the system grants memory");
    let (slow, other) = socket::lingering(LINGER_SECONDS).expect("the system grants TCP sockets");
    let impostors = [&directory, &file, &slow];
    // Each that it takes up is a portal that a stranger made, and a channel.
    let mut channel = || town.channel().expect("the server takes the portal up");
    let mut good = RawClient::connect_with_bell(channel(), Some(pipe.as_fd())).expect("it connects");
    assert!(good.is_welcome());
    for impostor in impostors {
        let villain = RawClient::connect_with_bell(channel(), Some(impostor.as_fd())).expect("it connects");
        assert!(villain.is_thrown_out());
        let villain = channel();
        socket::send(&villain, &wire::hello(), &[impostor.as_fd()]).expect("the socket has room");
        assert!(socket::closes(&villain, PATIENCE));
    }
    for kind in [Kind::Portal, Kind::Dataspace] {
        let (portal, _) = socket::pair().expect("the system grants sockets");
        for given in impostors.into_iter().chain([&portal]) {
            let mut villain = RawClient::connect(channel()).expect("it connects");
            let state = villain.fill(0, Row::FIRST, service::POKE, &[], &[(kind, 0)]);
            villain.send(&wire::portals(0, state.sequence), &[given.as_fd()]).expect("the socket has room");
            villain.publish(0, state);
            let _ = villain.outcome(0, PATIENCE);
        }
    }
    drop((good, other, slow));
    town.assert_unharmed();
}

/// What a villain does with a descriptor whose close blocks, so that the server is the one who closes it.
type Delivery = fn(&Town, &mut RawClient, &OwnedFd);

#[test]
fn attack_08_a_descriptor_whose_close_blocks_holds_nobody_up() {
    let deliveries: [(&str, Delivery); 9] = [
        ("beside a doorbell", |_, villain, slow| {
            let _ = villain.send(&wire::DOORBELL, &[slow.as_fd()]);
            villain.announce(wire::PENDING_SOCKET);
        }),
        ("as one descriptor of too many", |_, villain, slow| {
            let _ = villain.send(&wire::open(Row::FIRST), &[slow.as_fd(), slow.as_fd()]);
            villain.announce(wire::PENDING_SOCKET);
        }),
        ("as a portal", |_, villain, slow| {
            let state = villain.fill(0, Row::FIRST, service::POKE, &[], &[(Kind::Portal, 0)]);
            let _ = villain.send(&wire::portals(0, state.sequence), &[slow.as_fd()]);
            villain.publish(0, state);
        }),
        ("as a dataspace", |_, villain, slow| {
            let state = villain.fill(0, Row::FIRST, service::POKE, &[], &[(Kind::Dataspace, 0)]);
            let _ = villain.send(&wire::portals(0, state.sequence), &[slow.as_fd()]);
            villain.publish(0, state);
            let _ = villain.outcome(0, PATIENCE);
            villain.send(&[1, 2, 3], &[]).expect("the socket has room");
            villain.announce(wire::PENDING_SOCKET);
        }),
        ("for a message that never comes", |_, villain, slow| {
            let _ = villain.send(&wire::portals(0, 9), &[slow.as_fd()]);
            let _ = villain.send(&[1, 2, 3], &[]);
            villain.announce(wire::PENDING_SOCKET);
        }),
        ("as a second introduction's memory", |_, villain, slow| {
            let _ = villain.send(&wire::hello(), &[slow.as_fd()]);
            villain.announce(wire::PENDING_SOCKET);
        }),
        ("behind a violation, in the socket's queue", |town, villain, slow| {
            // Both are there before it can look at the first.
            town.server.signal(Signal::STOP);
            let _ = villain.send(&[1, 2, 3], &[]);
            let _ = villain.send(&wire::portals(0, 9), &[slow.as_fd()]);
            villain.announce(wire::PENDING_SOCKET);
            town.server.signal(Signal::CONT);
        }),
        ("in the queue of a portal to a dead row", |_, villain, slow| {
            let (portal, ours) = socket::pair().expect("the system grants sockets");
            let _ = socket::send(&ours, &wire::hello(), &[slow.as_fd()]);
            let _ = villain.send(&wire::open(Row { index: 77, generation: 7 }), &[portal.as_fd()]);
            drop(portal);
            villain.announce(wire::PENDING_SOCKET);
            assert!(socket::closes(&ours, PATIENCE), "a portal to a dead row is closed");
            villain.send(&[1, 2, 3], &[]).expect("the socket has room");
            villain.announce(wire::PENDING_SOCKET);
        }),
        ("in the queue of a portal that is dropped", |_, villain, slow| {
            let (portal, ours) = socket::pair().expect("the system grants sockets");
            let _ = socket::send(&ours, &wire::hello(), &[slow.as_fd()]);
            let state = villain.fill(0, Row::FIRST, service::POKE, &[], &[(Kind::Portal, 0)]);
            let _ = villain.send(&wire::portals(0, state.sequence), &[portal.as_fd()]);
            drop(portal);
            villain.publish(0, state);
            let _ = villain.outcome(0, PATIENCE);
            villain.send(&[1, 2, 3], &[]).expect("the socket has room");
            villain.announce(wire::PENDING_SOCKET);
        }),
    ];
    // At once, so that the test takes as long as one of them.
    std::thread::scope(|scope| {
        for (name, deliver) in deliveries {
            scope.spawn(move || {
                let mut town = town();
                let mut villain = town.villain();
                let (slow, other) = socket::lingering(LINGER_SECONDS).expect("the system grants TCP sockets");
                deliver(&town, &mut villain, &slow);
                // Elsewhere, since ours is the last copy if the server was too quick for the delivery.
                std::thread::spawn(move || drop(slow));
                assert!(villain.is_thrown_out(), "{name}: the server put up with it");
                drop(villain);
                let before = town.report().calls;
                let goes_on = eventually(|| town.report().calls > before + 1_000);
                assert!(goes_on, "{name}: the bystander was held up");
                town.assert_bystander_unharmed();
                drop(other);
                town.assert_unharmed();
            });
        }
    });
}

#[test]
fn attack_12_a_portal_that_is_full_never_blocks_the_server_that_takes_it_up() {
    let mut town = town();
    for _ in 0..10 {
        let (ours, servers_end) = socket::pair().expect("the system grants sockets");
        // The server's own end is made blocking, and its peer's queue is full before it says anything.
        socket::make_blocking(&servers_end).expect("the villain holds a copy");
        while socket::send(&servers_end, &wire::DOORBELL, &[]).is_ok() {}
        give(&mut town, &servers_end);
        assert!(socket::closes(&ours, PATIENCE), "the server waits for somebody who does not read");
    }
    town.assert_unharmed();
}

#[test]
fn attack_12_a_client_that_never_reads_its_portals_never_blocks_the_server() {
    let mut town = town();
    let mut villain = town.villain();
    let end = (0..10_000).find(|_| {
        let state = villain.fill(0, Row::FIRST, service::PORTALS, &[4], &[]);
        villain.publish(0, state);
        villain.outcome(0, PATIENCE).status().is_none()
    });
    assert!(end.is_some() && villain.is_thrown_out(), "the server waits for a client that does not read");
    drop(villain);
    town.assert_unharmed();
}

#[test]
fn attack_17_a_blocking_socket_does_not_block_the_server() {
    let mut town = town();
    let (ours, servers_end) = socket::pair().expect("the system grants sockets");
    socket::make_blocking(&servers_end).expect("the villain holds a copy");
    give(&mut town, &servers_end);
    let (_, channel) = socket::ticket(&ours).expect("the server takes it up");
    for _ in 0..100 {
        // The server is told to read, and what it was to read is stolen.
        let _ = socket::send(&ours, &wire::DOORBELL, &[]);
        while socket::receive(&servers_end, Duration::ZERO).is_some() {}
    }
    let mut villain = RawClient::connect(channel).expect("the socket has room");
    assert!(villain.is_welcome());
    town.assert_bystander_unharmed();
    drop((villain, ours, servers_end));
    town.assert_unharmed();
}

#[test]
fn attack_17_a_blocking_pipe_does_not_block_the_server() {
    let mut town = town();
    let portal = town.channel().expect("the server takes the portal up");
    let (reader, writer) = rustix::pipe::pipe().expect("the system grants pipes");
    let mut villain = RawClient::connect_with_bell(portal, Some(reader.as_fd())).expect("a villain connects");
    assert!(villain.is_welcome());
    for _ in 0..500 {
        socket::make_blocking(&reader).expect("the villain holds a copy");
        rustix::io::write(&writer, &[0]).expect("the pipe has room");
        // Stolen, so that whoever reads next finds an empty pipe.
        rustix::io::read(&reader, &mut [0]).expect("somebody wrote");
        std::thread::yield_now();
    }
    for _ in 0..500 {
        socket::make_blocking(&reader).expect("the villain holds a copy");
        rustix::io::write(&writer, &[0; 64]).expect("the pipe has room");
        std::thread::sleep(Duration::from_micros(100));
    }
    town.assert_bystander_unharmed();
    drop((villain, reader, writer));
    town.assert_unharmed();
}
