//! What a message carries: G2, G5, G7.

use crate::Place;
use portcullis_ipc::{Error, MAX_CAPABILITIES, MAX_DATA, MsgBuf};
use portcullis_tests::remote::{Remote, objects, request};
use portcullis_tests::resources::eventually;
use portcullis_tests::service::Op;

/// Bytes that are different at every place and for every length.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| ((place * 7 + length) % 251).try_into().unwrap_or(0)).collect()
}

pub(crate) fn g2_data_travels_both_ways<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    for length in [0, 1, 7, 8, 9, 63, 64, 65, 1000, 1016, 1017, 1023, 1024] {
        let (mut send, mut receive) = (request(Op::Echo, &[], &[])?, MsgBuf::new());
        send.write(&pattern(length))?;
        host.root.0.call(&send, &mut receive)?;
        assert_eq!(receive.data(), pattern(length), "{length} bytes");
    }
    Ok(())
}

pub(crate) fn g2_capabilities_travel_both_ways<P: Place>() -> Result<(), Error> {
    let (host, other) = (P::start()?, P::start()?);
    // One of the server itself, and one that it has never heard of.
    let sent = [host.root.new_object()?, other.root.new_object()?];
    let names = [sent[0].name()?, sent[1].name()?];
    let before = other.root.report()?.requests;
    let mut answer = host.root.ask(Op::Echo, &[], &[&sent[0], &sent[1]])?;
    drop(sent);
    let came = objects(&mut answer);
    assert_eq!([came[0].name()?, came[1].name()?], names, "they came back in order and still work");
    assert_eq!(other.root.report()?.requests, before + 2, "the second reaches the other server");
    Ok(())
}

pub(crate) fn g2_the_caller_blocks_until_the_return<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let caller = host.root.clone();
    let blocked = std::thread::spawn(move || caller.numbers(Op::Hold, &[], &[]));
    assert!(eventually(|| host.root.report().is_ok_and(|report| report.held == 1)));
    assert!(!blocked.is_finished(), "the call has arrived and is not answered");
    assert_eq!(host.root.numbers(Op::AnswerHeld, &[0, 4711], &[])?, [1]);
    assert_eq!(blocked.join().expect("the caller does not panic")?, [4711]);
    Ok(())
}

pub(crate) fn g5_a_message_holds_1024_bytes_and_4_capabilities_at_once<P: Place>() -> Result<(), Error> {
    let (host, other) = (P::start()?, P::start()?);
    let own = host.root.new_objects(2)?;
    let foreign = other.root.new_objects(2)?;
    let sent = [&own[0], &foreign[0], &own[1], &foreign[1]];
    let (mut send, mut receive) = (request(Op::Echo, &[], &sent)?, MsgBuf::new());
    send.write(&pattern(MAX_DATA))?;
    host.root.0.call(&send, &mut receive)?;
    assert_eq!((receive.data(), receive.capabilities()), (&pattern(1024)[..], 4));
    let names =
        |remotes: &[&Remote]| remotes.iter().map(|remote| remote.name()).collect::<Result<Vec<_>, _>>();
    let came = objects(&mut receive);
    assert_eq!(names(&came.iter().collect::<Vec<_>>())?, names(&sent)?);
    Ok(())
}

pub(crate) fn g5_1025_bytes_or_5_capabilities_are_refused_before_anything_is_sent<P: Place>()
-> Result<(), Error> {
    let host = P::start()?;
    let object = host.root.new_object()?;
    let before = host.root.report()?;

    let mut long = request(Op::Echo, &[], &[])?;
    assert_eq!(long.write(&[1; MAX_DATA + 1]), Err(Error::MessageTooLarge { length: MAX_DATA + 1 }));
    assert!(long.data().is_empty(), "the message is as it was");
    long.write(&[1; MAX_DATA])?;
    assert_eq!(long.write(&[1]), Err(Error::MessageTooLarge { length: MAX_DATA + 1 }));
    assert_eq!(long.data(), [1; MAX_DATA], "the message is as it was");

    let mut many = request(Op::Echo, &[], &[&object; MAX_CAPABILITIES])?;
    assert_eq!(many.push(object.0.clone()), Err(Error::TooManyCapabilities));
    assert_eq!(many.capabilities(), MAX_CAPABILITIES, "the message is as it was");

    let after = host.root.report()?;
    assert_eq!(after.requests, before.requests + 1, "nothing was sent but the question itself");
    assert_eq!(after.rows, before.rows);
    let mut receive = MsgBuf::new();
    host.root.0.call(&long, &mut receive)?;
    assert_eq!(receive.data(), [1; MAX_DATA], "what fits still goes through the channel");
    host.root.0.call(&many, &mut receive)?;
    assert_eq!(receive.capabilities(), MAX_CAPABILITIES);
    Ok(())
}

pub(crate) fn g5_a_reply_is_held_to_the_same_size<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let answer = host.root.ask(Op::Overfill, &[], &[])?;
    assert_eq!(
        String::from_utf8_lossy(answer.data()),
        "Err(MessageTooLarge { length: 1025 }) Err(TooManyCapabilities)",
        "the server is told, and can still answer"
    );
    assert_eq!(answer.capabilities(), 0);
    host.root.name().map(drop)
}

pub(crate) fn g7_the_reply_replaces_the_receive_content_and_the_send_content_stays<P: Place>()
-> Result<(), Error> {
    let host = P::start()?;
    let object = host.root.new_object()?;
    let mut send = request(Op::Echo, &[], &[&object])?;
    send.write(b"short")?;
    let mut receive = request(Op::Stop, &[7; 100], &[&object, &object, &object])?;
    host.root.0.call(&send, &mut receive)?;
    assert_eq!((receive.data(), receive.capabilities()), (&b"short"[..], 1));
    assert_eq!((receive.opcode(), receive.link()), (0, 0), "nothing of the old content is left");
    let came = objects(&mut receive);
    assert_eq!(came[0].name()?, object.name()?);
    assert_eq!((send.data(), send.capabilities(), send.opcode()), (&b"short"[..], 1, Op::Echo as u32));
    assert!(send.take(0).is_some(), "what was sent is still held by the sender");

    // An empty reply replaces it, too.
    receive.write(b"old")?;
    host.root.0.call(&request(Op::Echo, &[], &[])?, &mut receive)?;
    assert_eq!((receive.data(), receive.capabilities()), (&b""[..], 0));
    Ok(())
}
