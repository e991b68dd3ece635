//! Capabilities that come home to their own process by way of somebody else than whoever brings them there.

use crate::raw::{Peer, hand_over};
use crate::{NEVER, alone, by_way_of, peer};
use portcullis_ipc::{Deadline, Error};
use portcullis_tests::remote::objects;
use portcullis_tests::resources::eventually;
use portcullis_tests::service::{Op, bytes, words};
use portcullis_tests::villain::client::RawClient;
use portcullis_tests::villain::random::Random;
use portcullis_tests::villain::socket;
use portcullis_tests::villain::wire::{self, Row};
use std::os::fd::AsFd;
use std::time::Duration;

#[test]
fn a_capability_that_came_home_by_a_stranger_is_known_there_before_the_handler_runs() -> Result<(), Error> {
    let _alone = alone();
    let (origin, one, other) = (peer()?, peer()?, peer()?);
    for _ in 0..20 {
        let object = origin.root.new_object()?;
        let name = object.name()?;
        // Ours came by way of others, and goes home over the channel that we have of our own.
        let back = by_way_of(&other, &by_way_of(&one, &object)?)?;
        assert_eq!(origin.root.numbers(Op::IsMine, &[], &[&back])?, [1, name]);
        // And before anybody has used it, or has it been taken up.
        let back = by_way_of(&one, &object)?;
        assert_eq!(origin.root.numbers(Op::IsMine, &[], &[&back])?, [1, name]);
    }
    // Somebody else's is not its own, however it came.
    let back = by_way_of(&one, &other.root)?;
    assert_eq!(origin.root.numbers(Op::IsMine, &[], &[&back])?, [0]);
    Ok(())
}

#[test]
fn a_capability_that_came_home_by_a_stranger_takes_no_channel_and_can_be_called() -> Result<(), Error> {
    let _alone = alone();
    let (origin, one) = (peer()?, peer()?);
    let object = origin.root.new_object()?;
    let name = object.name()?;
    let kept = origin.root.keep(&by_way_of(&one, &object)?)?;
    // Ours and the intermediary's.
    let channels = || origin.root.report().map(|report| report.channels);
    assert!(eventually(|| channels() == Ok(2)), "{:?} with its own for itself", channels());
    for as_task in [false, true] {
        let before = origin.root.report()?.requests;
        match as_task {
            false => origin.root.call_in_background(kept, Op::Name, NEVER)?,
            true => origin.root.call_in_background_as_task(kept, Op::Name, NEVER)?,
        }
        let mut asked = 0;
        // Whoever waits for the thread there serves nobody meanwhile, so it must have been served.
        let is_served = || {
            asked += 1;
            origin.root.report().is_ok_and(|it| it.requests == before + 2 + asked)
        };
        assert!(eventually(is_served));
        assert_eq!(origin.root.join()?.words(), [name, 0]);
    }
    // From within its own handler it would wait for itself.
    let own = origin.root.call_kept(kept, Op::Name, NEVER, &[])?;
    assert_eq!(own.result, Err("CallCycle".to_owned()));
    // It goes out again as what it is: a row of our channel.
    let given = objects(&mut origin.root.ask(Op::Give, &[kept], &[])?).remove(0);
    assert_eq!(given.0.same_object(&object.0, Deadline::After(Duration::ZERO)), Ok(true), "one row");
    origin.root.ask(Op::Dissolve, &[], &[&object])?;
    assert_eq!(given.name(), Err(Error::InvalidCapability));
    assert_eq!(origin.root.numbers(Op::IsMine, &[], &[&object]), Err(Error::InvalidCapability));
    Ok(())
}

/// A portal that the villain made, with that ticket in it; whether the peer takes it for an object of its own, and which.
fn is_mine(peer: &mut Peer, token: u64) -> Vec<u64> {
    let (mine, theirs) = socket::pair().expect("the system grants sockets");
    let (_channel, spare) = socket::pair().expect("the system grants sockets");
    socket::send(&mine, &wire::token(token), &[spare.as_fd()]).expect("the socket has room");
    hand_over(&mut peer.channel, Op::IsMine, &theirs)
}

#[test]
fn a_token_that_was_read_on_the_way_is_nothing_elsewhere_and_at_home_what_its_reader_could_call() {
    let _alone = alone();
    let (mut server, mut other) = (Peer::start(), Peer::start());
    let object = server.channel.call(Row::FIRST, Op::NewObjects as u32, &bytes(&[1])).row();
    let name = words(&server.channel.call(object, Op::Name as u32, &[]).data())[0];
    let portal = server.channel.open(object).expect("the socket has room");
    let (token, channel) = socket::ticket(&portal).expect("it is taken up");
    let mut random = Random::new(7);
    for guess in [0, 1, token ^ 1, !token].into_iter().chain((0..100).map(|_| random.word())) {
        assert_eq!(is_mine(&mut server, guess), [0], "{guess:#x}");
    }
    assert_eq!(is_mine(&mut other, token), [0], "another process is no home");
    assert_eq!(is_mine(&mut server, token), [1, name], "as if it had been handed over");
    assert_eq!(is_mine(&mut server, token), [0], "once");
    drop((portal, channel));
    // Of a portal whose holder has come over, none is good any more.
    let portal = server.channel.open(object).expect("the socket has room");
    let (token, channel) = socket::ticket(&portal).expect("it is taken up");
    let mut holder = RawClient::connect(channel).expect("it is there");
    assert_eq!(words(&holder.call(Row::FIRST, Op::Name as u32, &[]).data())[0], name);
    assert_eq!(is_mine(&mut server, token), [0], "it is somebody's channel");
    assert!(eventually(|| server.channels() == 2) && holder.is_welcome());
}
