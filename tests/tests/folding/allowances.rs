//! What a client may spend that somebody has introduced: what that one allows it of his own, with all whom it introduces in turn.

use crate::raw::{Peer, hand_over};
use crate::{NEVER, alone, objects, peer};
use portcullis_ipc::{Allowance, Error, Limits, Pd, PdOptions};
use portcullis_tests::host::Host;
use portcullis_tests::resources::eventually;
use portcullis_tests::service::{Op, bytes};
use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::socket;
use portcullis_tests::villain::wire::{self, Row, status};
use std::os::fd::OwnedFd;

/// Somebody whom the launcher introduces, and what it allows.
fn introduce(launcher: &mut RawClient, rows: u32, channels: u32) -> RawClient {
    let opening = wire::open_with(Row::FIRST, rows, 0, channels);
    let portal = launcher.open_by(&opening).expect("the socket has room");
    RawClient::come_over(&portal).expect("it is taken up")
}

/// The channel behind a portal, or `None` if it was refused, and that was said.
fn taken_up(portal: &OwnedFd) -> Option<OwnedFd> {
    let mut messages = std::iter::from_fn(|| socket::receive(portal, PATIENCE));
    let (bytes, descriptors) = messages.find(|(bytes, _)| bytes[0] != 4).expect("there is an answer");
    if bytes == wire::refusal() {
        assert!(descriptors.is_empty() && socket::closes(portal, PATIENCE), "and then it is closed");
        return None;
    }
    descriptors.into_iter().next()
}

/// Opens portals until one is refused; who comes over is kept.
fn open_without_end(client: &mut RawClient) -> Vec<RawClient> {
    let opened = std::iter::from_fn(|| taken_up(&client.open(Row::FIRST).expect("the socket has room")));
    opened.map(|channel| RawClient::connect(channel).expect("it is there")).collect()
}

#[test]
fn a_client_that_opens_without_end_spends_what_it_was_allowed_and_nothing_of_others() {
    let _alone = alone();
    let mut server = Peer::start();
    for round in 0..20 {
        let mut villain = introduce(&mut server.channel, 1_000, 8);
        let mut opened = open_without_end(&mut villain);
        assert_eq!(opened.len(), 8);
        for _ in 0..100 {
            assert!(taken_up(&villain.open(Row::FIRST).expect("the socket has room")).is_none());
        }
        // Others can still be introduced, and all go on: those whom it has introduced, and itself.
        let mut other = introduce(&mut server.channel, 1_000, 8);
        for client in opened.iter_mut().chain([&mut other, &mut villain, &mut server.channel]) {
            assert!(client.is_welcome());
        }
        assert_eq!(server.channels(), 11);
        // One that ends makes room for one.
        drop(opened.pop());
        assert!(eventually(|| server.channels() == 10));
        assert_eq!(open_without_end(&mut villain).len(), 1, "in round {round}");
        drop((villain, opened, other));
        assert!(eventually(|| server.channels() == 1), "all of it has come back");
    }
}

#[test]
fn whoever_was_introduced_by_somebody_who_was_introduced_spends_what_the_first_was_allowed() {
    let _alone = alone();
    let mut server = Peer::start();
    let mut first = introduce(&mut server.channel, 20, 8);
    // They may have as much as whoever introduces them, each.
    let mut second =
        RawClient::come_over(&first.open(Row::FIRST).expect("it has room")).expect("it is there");
    let mut third =
        RawClient::come_over(&second.open(Row::FIRST).expect("it has room")).expect("it is there");
    let more = open_without_end(&mut third);
    assert_eq!(more.len(), 6, "eight with the second and the third");
    for client in [&mut first, &mut second, &mut third] {
        assert!(open_without_end(client).is_empty());
    }
    // Nine rows are theirs by now.
    let granted = |client: &mut RawClient, count: u64| {
        client.call(Row::FIRST, Op::NewObjects as u32, &bytes(&[count])).status().expect("an answer")
    };
    assert_eq!(granted(&mut third, 4), status::ANSWERED);
    assert_eq!(granted(&mut first, 4), status::ANSWERED);
    assert_eq!(granted(&mut second, 4), status::BUDGET_EXCEEDED, "three are left");
    assert_eq!(granted(&mut second, 3), status::ANSWERED);
    for client in [&mut first, &mut second, &mut third] {
        assert_eq!(granted(client, 1), status::BUDGET_EXCEEDED);
    }
    assert_eq!(granted(&mut server.channel, 4), status::ANSWERED, "whoever introduced them has more");
    // What they hold goes on though those in between end; nobody gets more by that.
    drop((second, third));
    assert!(eventually(|| server.channels() == 8));
    assert_eq!(open_without_end(&mut first).len(), 2, "in the place of these");
    drop(first);
    assert!(eventually(|| server.channels() == 7));
    drop(more);
    assert!(eventually(|| server.channels() == 1));
}

#[test]
fn a_client_that_opens_and_ends_over_and_over_fills_no_more_than_its_introducer_had() {
    let _alone = alone();
    let mut server = Peer::start();
    let mut introducer = introduce(&mut server.channel, 1_000, 16);
    for _ in 0..10 {
        let mut villain = match taken_up(&introducer.open(Row::FIRST).expect("the socket has room")) {
            Some(channel) => RawClient::connect(channel).expect("it is there"),
            None => break,
        };
        for _ in 0..4 {
            // The client's end is with the server, too, as a portal: nobody's death ends it.
            let Some(channel) = taken_up(&villain.open(Row::FIRST).expect("the socket has room")) else {
                break;
            };
            hand_over(&mut villain, Op::Keep, &channel);
        }
        assert!(villain.is_welcome());
    }
    // The raw one, the introducer's, and what that was allowed, but for the one that the last had itself.
    assert!(eventually(|| server.channels() == 17), "{}", server.channels());
    assert!(introducer.is_welcome());
    let mut other = introduce(&mut server.channel, 1_000, 16);
    assert!(other.is_welcome(), "others have theirs");
}

#[test]
fn a_portal_beyond_its_openers_account_says_so_to_whoever_gets_it() {
    let _alone = alone();
    let (mut server, mut holder) = (Peer::start(), Peer::start());
    let mut poor = introduce(&mut server.channel, 1_000, 1);
    let good = holder.give(&poor.open(Row::FIRST).expect("the socket has room"));
    let name = holder.call(good, PATIENCE).words();
    let refused =
        holder.give(&introduce(&mut server.channel, 1_000, 0).open(Row::FIRST).expect("it has room"));
    for _ in 0..3 {
        assert_eq!(holder.call(refused, PATIENCE).result, Err("BudgetExceeded".to_owned()));
    }
    assert_eq!(holder.call(good, PATIENCE).words(), name, "others go on");
    // Before it could come over, and so before it can hold anything.
    let nothing = wire::open_with(Row::FIRST, 0, 0, 0);
    assert!(taken_up(&server.channel.open_by(&nothing).expect("the socket has room")).is_none());
}

#[test]
fn a_domain_says_what_those_may_spend_to_whom_it_hands_on() -> Result<(), Error> {
    let _alone = alone();
    let allowance = Allowance { rows: 3, contexts: 0, channels: 1 };
    let pd = Pd::with(PdOptions { allowance, ..PdOptions::default() })?;
    let origin = Host::process_of(&pd, env!("CARGO_BIN_EXE_peer"), Limits::default())?;
    let (holder, other) = (peer()?, peer()?);
    let kept = holder.root.keep(&origin.root)?;
    // To one it may hand on, who may not.
    let given = objects(&mut holder.root.ask(Op::Give, &[kept], &[])?).remove(0);
    assert!(given.name().is_ok());
    let number = other.root.keep(&given)?;
    let refused = other.root.call_kept(number, Op::Name, NEVER, &[])?;
    assert_eq!(refused.result, Err("BudgetExceeded".to_owned()));
    // Its own row, and that of whom it has handed on to.
    let more = holder.root.call_kept(kept, Op::NewObjects, NEVER, &[2])?;
    assert_eq!(more.result, Err("BudgetExceeded".to_owned()));
    drop(given);
    let is_back =
        || holder.root.call_kept(kept, Op::NewObjects, NEVER, &[2]).is_ok_and(|it| it.result.is_ok());
    assert!(eventually(is_back), "what was given back can be spent again");
    assert_eq!(origin.root.new_objects(4)?.len(), 4, "whoever hands on has more");
    Ok(())
}
