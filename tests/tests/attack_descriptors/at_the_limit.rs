//! Attack 43: at its limit of descriptors a process leaves what brings some where it is, and takes it when there is room.

use crate::slow::{LINGER_SECONDS, assert_goes_on};
use crate::{alone, peer, town};
use portcullis_ipc::Error;
use portcullis_tests::host::Host;
use portcullis_tests::remote::{Nested, Remote};
use portcullis_tests::resources::{busy, eventually, limit_descriptors, switches};
use portcullis_tests::service::Op;
use portcullis_tests::stopped::Stopped;
use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::memory::Memory;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::wire::{self, Kind, Row, State};
use portcullis_tests::villain::{service, socket};
use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// A process that may open two descriptors more, until this is dropped. (If none, all that it closes later might have numbers
/// beyond the limit.)
pub(crate) struct Full(pub(crate) u32);

impl Full {
    pub(crate) fn process(host: &mut Host) -> Full {
        Full::with(host.child().expect("it is a process").id())
    }

    pub(crate) fn with(process: u32) -> Full {
        let full = Full(process);
        full.leave(2);
        full
    }

    /// So many more from now on.
    pub(crate) fn leave(&self, spare: usize) {
        let path = format!("/proc/{}/fd", self.0);
        let numbers = std::fs::read_dir(path).expect("it lives").flatten();
        let used: HashSet<u64> = numbers.filter_map(|it| it.file_name().to_str()?.parse().ok()).collect();
        let mut free = (0..).filter(|number| !used.contains(number));
        limit_descriptors(self.0, free.nth(spare).expect("numbers do not end"));
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        limit_descriptors(self.0, 1_024);
    }
}

/// A process that waits for room wakes up now and then, and does hardly anything.
pub(crate) fn assert_patient(process: u32) {
    const WHILE: Duration = Duration::from_millis(1_500);
    let before = (switches(process), busy(process));
    std::thread::sleep(WHILE);
    let (switches, busy) = (switches(process) - before.0, busy(process) - before.1);
    // Every 50 ms: the watcher for its own sockets, and for the server that it wakes, and whoever calls meanwhile.
    assert!(switches <= 300, "it woke up {switches} times in {WHILE:?}");
    assert!(busy <= WHILE / 10, "it was busy for {busy:?} of {WHILE:?}");
}

#[test]
fn attack_43_a_server_at_its_limit_leaves_what_brings_descriptors_where_it_is() -> Result<(), Error> {
    let _alone = alone();
    let (mut server, third, client) = (peer()?, peer()?, peer()?);
    let of_client = client.root.keep(&server.root)?;
    client.root.call_kept(of_client, Op::Name, PATIENCE, &[])?.words();
    let full = Full::process(&mut server);
    std::thread::scope(|scope| {
        let keep = scope.spawn(|| server.root.keep(&third.root));
        // What has no descriptor goes on, for others and over the same channel.
        let rows = |remote: &Remote| remote.new_objects(4)?.iter().try_for_each(|it| it.name().map(drop));
        for _ in 0..100 {
            rows(&server.root)?;
            client.root.call_kept(of_client, Op::NewObjects, PATIENCE, &[4])?.words();
        }
        assert!(!keep.is_finished(), "there was no room for it");
        assert_patient(full.0);
        rows(&server.root)?;
        drop(full);
        let number = keep.join().expect("it does not panic")?;
        // It is not shifted, and not another's.
        assert_eq!(server.root.call_kept(number, Op::Name, PATIENCE, &[])?.words()[0], third.root.name()?);
        Ok(())
    })
}

#[test]
fn attack_43_a_stranger_reaches_a_server_at_its_limit_when_there_is_room() -> Result<(), Error> {
    let _alone = alone();
    let (mut server, stranger) = (peer()?, peer()?);
    let object = server.root.new_object()?;
    let full = Full::process(&mut server);
    let number = stranger.root.keep(&object)?;
    stranger.root.call_in_background(number, Op::Name, PATIENCE)?;
    let patient = std::thread::scope(|scope| {
        let patient = scope.spawn(|| assert_patient(full.0));
        while !patient.is_finished() {
            server.root.new_object()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok::<_, Error>(patient.join())
    });
    assert!(patient?.is_ok());
    drop(full);
    assert_eq!(stranger.root.join()?.words()[0], object.name()?);
    Ok(())
}

#[test]
fn attack_43_a_client_at_its_limit_leaves_the_portals_of_a_reply_where_they_are() -> Result<(), Error> {
    let _alone = alone();
    let (server, third, mut client) = (peer()?, peer()?, peer()?);
    let (number, portal) = (client.root.keep(&server.root)?, server.root.keep(&third.root)?);
    let id = client.child().expect("it is a process").id();
    let give = || client.root.call_kept(number, Op::Give, PATIENCE, &[portal]);
    give()?.words();
    // Ours and the server's.
    let settled = || third.root.report().is_ok_and(|report| report.channels == 2);
    assert!(eventually(settled));
    let full = Full::with(id);
    let fails = |nested: Nested| {
        let error = nested.result.expect_err("there is no room for it");
        assert!(error.contains("recvmsg"), "{error}");
    };
    for _ in 0..3 {
        fails(give()?);
        // Nobody is guilty, and what has no descriptor goes on.
        client.root.call_kept(number, Op::NewObjects, PATIENCE, &[4])?.words();
    }
    drop(full);
    for _ in 0..3 {
        give()?.words();
    }
    // What came too late was given back.
    assert!(eventually(settled), "{:?}", third.root.report());
    Ok(())
}

#[test]
fn attack_43_the_tasks_of_a_client_at_its_limit_go_on() -> Result<(), Error> {
    let _alone = alone();
    let (server, third, mut client) = (peer()?, peer()?, peer()?);
    let (number, portal) = (client.root.keep(&server.root)?, server.root.keep(&third.root)?);
    client.root.call_kept_as_task(number, Op::Name, PATIENCE)?.words();
    let full = Full::process(&mut client);
    let nested = client.root.call_kept(number, Op::Give, PATIENCE, &[portal])?;
    assert!(nested.result.is_err(), "{nested:?}");
    for _ in 0..100 {
        // Slow enough for the server to have to ring: behind what is left on the socket.
        let order = client.root.call_kept_as_task(number, Op::Work, PATIENCE)?;
        assert!(order.result.is_ok(), "{order:?}");
    }
    assert_patient(full.0);
    drop(full);
    client.root.call_kept(number, Op::Give, PATIENCE, &[portal])?.words();
    Ok(())
}

#[test]
fn attack_43_what_ended_while_there_was_no_room_gives_its_descriptors_back() {
    let _alone = alone();
    let mut town = town();
    let mut villains: Vec<RawClient> = (0..16).map(|_| town.villain()).collect();
    let full = Full::with(town.server.id());
    let spare: Vec<(OwnedFd, OwnedFd)> =
        (0..16).map(|_| socket::pair().expect("the system has some")).collect();
    for (villain, (portal, _)) in villains.iter_mut().zip(&spare) {
        let state = villain.fill(0, Row::FIRST, service::KEEP, &[], &[(Kind::Portal, 0)]);
        villain.send(&wire::portals(0, state.sequence), &[portal.as_fd()]).expect("the socket has room");
        villain.publish(0, state);
    }
    let waiting = town.launcher.open(Row::FIRST).expect("the socket has room");
    town.assert_bystander_unharmed();
    drop((villains, spare));
    let mut waiting = RawClient::come_over(&waiting).expect("the dead keep what the living need");
    assert!(waiting.is_welcome());
    drop((full, waiting));
    town.assert_unharmed();
}

/// As much room as there must be before anything is read, but not once four descriptors were.
const ROOM_ONCE: usize = 10;

/// Four portals as the arguments of a call that is not published yet.
fn bring_portals(client: &mut RawClient, lane: usize) -> State {
    let (portal, _) = socket::pair().expect("the system has some");
    let state = client.fill(lane, Row::FIRST, service::POKE, &[], &[(Kind::Portal, 0); 4]);
    client.send(&wire::portals(lane, state.sequence), &[portal.as_fd(); 4]).expect("the socket has room");
    state
}

#[test]
fn attack_43_what_was_read_is_served_though_there_is_no_room_for_what_is_behind_it() {
    let _alone = alone();
    let mut town = town();
    let mut client = town.villain();
    let full = Full::with(town.server.id());
    full.leave(ROOM_ONCE);
    let state = bring_portals(&mut client, 0);
    client.ring();
    client.publish(0, state);
    assert!(client.outcome(0, PATIENCE).data().is_empty());
    drop((full, client));
    town.assert_unharmed();
}

#[test]
fn attack_43_what_was_read_for_one_call_is_served_though_another_made_room_for_it() {
    let _alone = alone();
    let mut town = town();
    let mut client = town.villain();
    let full = Full::with(town.server.id());
    let states = [0, 1].map(|lane| bring_portals(&mut client, lane));
    client.publish(0, states[0]);
    town.assert_bystander_unharmed();
    // Before the server looks for room again, and finds the first while it looks for the second.
    full.leave(ROOM_ONCE);
    client.publish(1, states[1]);
    for lane in [0, 1] {
        assert!(client.outcome(lane, PATIENCE).data().is_empty());
    }
    drop((full, client));
    town.assert_unharmed();
}

/// A villain that is known to the server, and has never rung: what it calls at first is there before it introduces itself.
fn silent_villain(town: &mut Town) -> RawClient {
    let channel = town.channel().expect("the server takes the portal up");
    let (memory, file) = Memory::create(wire::CHANNEL_BYTES).expect("the system grants memory");
    let mut villain = RawClient::over(channel, memory);
    let state = villain.fill(0, Row::FIRST, service::ECHO, &[], &[]);
    villain.memory.store(wire::request(0), state.encode());
    villain.memory.set(wire::PENDING, 1);
    socket::send(&villain.socket, &wire::hello(), &[file.as_fd()]).expect("the socket has room");
    assert_eq!(villain.outcome(0, PATIENCE).status(), Some(wire::status::ANSWERED));
    villain
}

#[test]
fn attack_44_an_empty_message_is_not_read_without_room() {
    let _alone = alone();
    let mut town = town();
    // No byte of a doorbell lies in front of it.
    let villain = silent_villain(&mut town);
    let (slow, other) = socket::lingering(LINGER_SECONDS).expect("the system grants TCP sockets");
    let (spare, _end) = socket::pair().expect("the system has some");
    let full = Full::with(town.server.id());
    // Ours is not the last copy, and is gone before the server looks. Those in front take the numbers that there are.
    let stopped = Stopped::stop(town.server.id()).expect("it is ours");
    let descriptors = [&spare, &spare, &spare, &slow].map(AsFd::as_fd);
    socket::send(&villain.socket, &[], &descriptors).expect("the socket has room");
    drop(slow);
    villain.memory.set(wire::PENDING, wire::PENDING_SOCKET);
    drop(stopped);
    assert_goes_on(&mut town);
    assert!(villain.is_thrown_out(), "nobody honest says nothing");
    drop((full, villain, other));
    town.assert_unharmed();
}
