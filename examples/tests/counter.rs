//! The counter against clients that do not keep to its interface.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

use portcullis_examples::wordcount::{CounterClient, CountingClient, Failure, Refusal, WordRule, counter};
use portcullis_ipc::{Capability, Error, MsgBuf, Pd, Server};
use std::sync::mpsc::channel;

/// A counter on a thread of its own; it ends with the test's process.
fn counter() -> Capability {
    let (to_test, from_counter) = channel();
    std::thread::spawn(move || {
        let mut server = Server::new(&Pd::new().unwrap()).unwrap();
        to_test.send(server.capability()).unwrap();
        counter::serve(&mut server)
    });
    from_counter.recv().unwrap()
}

/// The first byte of the answer to any call.
fn answer(object: &Capability, opcode: u32, data: &[u8]) -> u8 {
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    send.set_method(opcode, 0);
    send.write(data).unwrap();
    object.call(&send, &mut receive).unwrap();
    assert_eq!((receive.data().len(), receive.capabilities()), (1, 0), "a refusal says no more");
    receive.data()[0]
}

fn open(counter: &Capability) -> CountingClient {
    CounterClient::new(counter.clone()).open(WordRule::Ascii).unwrap()
}

#[test]
fn unknown_methods_are_refused() {
    let counter = counter();
    let object = open(&counter);
    for opcode in [3, 4, 255, 1 << 16, u32::MAX] {
        assert_eq!(answer(&counter, opcode, b""), Refusal::UnknownMethod as u8);
        assert_eq!(answer(&object.capability(), opcode, b""), Refusal::UnknownMethod as u8);
    }
    assert_eq!(answer(&counter, 1, b""), Refusal::UnknownMethod as u8, "a method of another interface");
}

#[test]
fn malformed_arguments_are_refused_and_change_nothing() {
    let counter = counter();
    let mut object = open(&counter);
    object.add(b"one word").unwrap();
    for data in [&b""[..], &[2], &[255], &[0, 0], &[0; 1024]] {
        assert_eq!(answer(&counter, 0, data), Refusal::Malformed as u8, "open {data:?}");
    }
    for opcode in [1, 2] {
        assert_eq!(answer(&object.capability(), opcode, &[0]), Refusal::Malformed as u8);
    }
    assert_eq!(object.counts().unwrap().words, 2);
}

#[test]
fn objects_count_apart_from_each_other() {
    let counter = counter();
    let (mut first, mut second) = (open(&counter), open(&counter));
    first.add(b"a b").unwrap();
    second.add(b"c\n").unwrap();
    first.add(b"c\n").unwrap();
    assert_eq!((first.counts().unwrap().words, second.counts().unwrap().words), (2, 1));
}

#[test]
fn objects_are_bounded_and_come_back() {
    let counter = counter();
    let mut objects: Vec<_> = (0..counter::MOST_OBJECTS).map(|_| open(&counter)).collect();
    let one_more = || CounterClient::new(counter.clone()).open(WordRule::Ascii).map(drop);
    assert_eq!(one_more(), Err(Failure::Refused(Refusal::Exhausted)));
    objects.pop().unwrap().close().unwrap();
    assert_eq!(one_more(), Ok(()));
}

#[test]
fn a_closed_object_is_gone_for_everybody() {
    let object = open(&counter());
    let mut other = CountingClient::new(object.capability());
    object.close().unwrap();
    assert_eq!(other.counts(), Err(Failure::Call(Error::InvalidCapability)));
}

#[test]
fn capabilities_that_no_method_takes_are_dropped() {
    let counter = counter();
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    send.write(&[0]).unwrap();
    let stray = Server::new(&Pd::new().unwrap()).unwrap();
    for _ in 0..4 {
        send.push(stray.capability()).unwrap();
    }
    counter.call(&send, &mut receive).unwrap();
    assert_eq!((receive.data(), receive.capabilities()), (&[0][..], 1), "the new object and nothing else");
}
