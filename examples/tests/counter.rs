//! The counter against clients that do not keep to its interface.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

use portcullis_entrypoint::Entrypoint;
use portcullis_examples::Failure;
use portcullis_examples::wordcount::{Counter, Counting, Log, PIECE, WordRule, counter};
use portcullis_ipc::{self as ipc, MsgBuf, Pd, Refusal, Server};
use portcullis_rpc::{Capability, Client, Error, Interface, codec};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Opcodes.
const ADD: u32 = 0;
const COUNTS: u32 = 1;
const CLOSE: u32 = 2;
const OPEN: u32 = 0;

/// A counter on a thread of its own; it ends with the test's process.
fn counter() -> Client<dyn Counter> {
    let (to_test, from_counter) = channel();
    std::thread::spawn(move || {
        let entrypoint = Entrypoint::new(&Pd::new().unwrap()).unwrap();
        to_test.send(counter::manage(&entrypoint)).unwrap();
        entrypoint.run()
    });
    from_counter.recv().unwrap().client()
}

/// What a call with the right link and any data comes to.
fn call<I: ?Sized + Interface>(object: &Capability<I>, opcode: u32, data: &[u8]) -> Result<(), ipc::Error> {
    let link = I::CHAIN.get(opcode as usize).copied().unwrap_or_default();
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    send.set_method(opcode, link);
    send.write(data).unwrap();
    let result = object.untyped().call(&send, &mut receive);
    if result.is_err() {
        assert_eq!((receive.data(), receive.capabilities()), (&[][..], 0), "a refusal says no more");
    }
    result
}

fn open(counter: &mut Client<dyn Counter>) -> Client<dyn Counting> {
    counter.open(WordRule::Ascii).unwrap().client()
}

#[test]
fn unknown_methods_are_refused() {
    let mut counter = counter();
    let object = open(&mut counter);
    let unknown = Err(ipc::Error::Refused(Refusal::UnknownMethod));
    for opcode in [4, 5, 255, 1 << 16, u32::MAX] {
        assert_eq!(call(counter.capability(), opcode, b""), unknown);
        assert_eq!(call(object.capability(), opcode, b""), unknown);
    }
    assert_eq!(call(counter.capability(), COUNTS, b""), unknown, "a method of another interface");
}

#[test]
fn methods_of_another_interface_are_refused() {
    let mut counter = counter();
    let object = open(&mut counter);
    let mistaken: Capability<dyn Counting> = Capability::from_untyped(counter.capability().untyped().clone());
    assert_eq!(mistaken.client().add(b"\0"), Err(Failure::Call(Error::WrongInterface)));
    let mistaken: Capability<dyn Counter> = Capability::from_untyped(object.capability().untyped().clone());
    assert_eq!(mistaken.client().open(WordRule::Ascii).err(), Some(Failure::Call(Error::WrongInterface)));
}

#[test]
fn malformed_arguments_are_refused_and_change_nothing() {
    let mut counter = counter();
    let mut object = open(&mut counter);
    object.add(b"one word").unwrap();
    let malformed = Err(ipc::Error::Refused(Refusal::Malformed));
    for data in [&b""[..], &[2], &[255], &[0, 0], &[0; 1024]] {
        assert_eq!(call(counter.capability(), OPEN, data), malformed, "open {data:?}");
    }
    for data in [&b""[..], &[2, b'x'], &[1, b'x', b'y'], &[0xff; 1024]] {
        assert_eq!(call(object.capability(), ADD, data), malformed, "add {data:?}");
    }
    for opcode in [COUNTS, CLOSE] {
        assert_eq!(call(object.capability(), opcode, &[0]), malformed);
    }
    let counts = object.counts().unwrap();
    assert_eq!((counts.words, counts.bytes), (2, 8));
}

#[test]
fn the_largest_piece_fits_and_no_larger_one() {
    let mut object = open(&mut counter());
    object.add(&[b'x'; PIECE]).unwrap();
    assert_eq!(object.counts().unwrap().bytes, PIECE as u64);
    let too_large = Failure::Call(Error::MessageTooLarge { length: 1025 });
    assert_eq!(object.add(&[b'x'; PIECE + 1]), Err(too_large));
}

#[test]
fn objects_count_apart_from_each_other() {
    let mut counter = counter();
    let (mut first, mut second) = (open(&mut counter), open(&mut counter));
    first.add(b"a b").unwrap();
    second.add(b"c\n").unwrap();
    first.add(b"c\n").unwrap();
    assert_eq!((first.counts().unwrap().words, second.counts().unwrap().words), (2, 1));
}

#[test]
fn objects_are_bounded_and_come_back_when_they_are_closed() {
    let mut counter = counter();
    let mut objects: Vec<_> = (0..counter::MOST_OBJECTS).map(|_| open(&mut counter)).collect();
    assert_eq!(counter.open(WordRule::Ascii).err(), Some(Failure::Exhausted));
    objects.pop().unwrap().close().unwrap();
    objects.push(open(&mut counter));
    assert_eq!(counter.open(WordRule::Ascii).err(), Some(Failure::Exhausted));
}

#[test]
fn objects_that_nobody_holds_come_back() {
    let mut counter = counter();
    let start = Instant::now();
    for _ in 0..2 {
        for _ in 0..counter::MOST_OBJECTS {
            // What was dropped may not have been noticed yet.
            while let Err(failure) = counter.open(WordRule::Ascii) {
                assert_eq!(failure, Failure::Exhausted);
                assert!(start.elapsed() < Duration::from_secs(10), "what was dropped does not come back");
            }
        }
    }
}

#[test]
fn a_closed_object_is_gone_for_everybody() {
    let mut object = open(&mut counter());
    let mut other = object.clone();
    object.close().unwrap();
    assert_eq!(other.counts(), Err(Failure::Call(Error::InvalidCapability)));
}

#[test]
fn capabilities_that_no_method_takes_are_refused_with_their_call() {
    let counter = counter();
    let stray = Server::new(&Pd::new().unwrap()).unwrap();
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    codec::encode(&(WordRule::Ascii,), &mut send).unwrap();
    send.set_method(OPEN, <dyn Counter>::CHAIN[OPEN as usize]);
    let untyped = counter.capability().untyped();
    untyped.call(&send, &mut receive).unwrap();
    assert_eq!(receive.capabilities(), 1, "the same call without them");
    for _ in 0..4 {
        send.push(stray.capability()).unwrap();
    }
    assert_eq!(untyped.call(&send, &mut receive), Err(ipc::Error::Refused(Refusal::Malformed)));
    assert_eq!(receive.capabilities(), 0);
}

/// A log that remembers what it was told, or always fails; it says so when nobody holds it any more.
struct Sink {
    fails: bool,
    told: Sender<Option<String>>,
}

impl Log for Sink {
    fn write(&mut self, line: &str) -> Result<(), Failure> {
        self.told.send(Some(line.into())).unwrap();
        if self.fails { Err(Failure::Exhausted) } else { Ok(()) }
    }
}

/// A log on a thread of its own.
fn log(fails: bool) -> (Capability<dyn Log>, Receiver<Option<String>>) {
    let (told, from_log) = channel();
    let (to_test, capability) = channel();
    std::thread::spawn(move || {
        let entrypoint = Entrypoint::new(&Pd::new().unwrap()).unwrap();
        let sink = Sink { fails, told };
        let log = entrypoint.manage_counted(sink, |sink: &mut Sink, _| sink.told.send(None).unwrap());
        to_test.send(log).unwrap();
        entrypoint.run()
    });
    (capability.recv().unwrap(), from_log)
}

/// Has so many bytes counted.
fn count(object: &mut Client<dyn Counting>, mut bytes: usize) {
    while bytes > 0 {
        let length = bytes.min(PIECE);
        object.add(&[b'x'; PIECE][..length]).unwrap();
        bytes -= length;
    }
}

/// The bytes of a report.
const DUE: usize = 4 << 20;

const _: () = assert!(DUE as u64 == counter::REPORT_EVERY);

#[test]
fn an_object_reports_now_and_then_and_when_it_is_closed() {
    let (log, told) = log(false);
    let mut object = open(&mut counter());
    object.report_to(log).unwrap();
    count(&mut object, DUE - 1);
    assert!(told.try_recv().is_err(), "not due yet");
    count(&mut object, 1);
    assert_eq!(told.recv().unwrap().as_deref(), Some("counted 4,194,304 bytes"));
    count(&mut object, DUE);
    assert_eq!(told.recv().unwrap().as_deref(), Some("counted 8,388,608 bytes"));
    count(&mut object, 1);
    object.close().unwrap();
    assert_eq!(told.recv().unwrap().as_deref(), Some("counted 8,388,609 bytes"));
    assert_eq!(told.recv().unwrap(), None, "the closed object holds nothing");
}

#[test]
fn a_log_that_fails_gets_no_second_report_and_the_count_goes_on() {
    let (log, told) = log(true);
    let mut object = open(&mut counter());
    object.report_to(log).unwrap();
    count(&mut object, DUE);
    assert_eq!(told.recv().unwrap().as_deref(), Some("counted 4,194,304 bytes"));
    assert_eq!(told.recv().unwrap(), None, "the object has let go of it");
    count(&mut object, DUE);
    assert_eq!(object.counts().unwrap().bytes, 2 * counter::REPORT_EVERY);
}

#[test]
fn a_log_that_never_answers_is_given_up() {
    // Nobody serves it until all is counted.
    let entrypoint = Entrypoint::new(&Pd::new().unwrap()).unwrap();
    let (told, from_log) = channel();
    let silent = entrypoint.manage_counted(Sink { fails: false, told }, |sink: &mut Sink, entrypoint| {
        sink.told.send(None).unwrap();
        entrypoint.stop();
    });
    let mut object = open(&mut counter());
    object.report_to(silent).unwrap();
    count(&mut object, 2 * DUE);
    assert_eq!(object.counts().unwrap().bytes, 2 * counter::REPORT_EVERY);
    entrypoint.run().unwrap();
    assert_eq!(from_log.recv().unwrap(), None, "the object has let go of it, and withdrawn its report");
}

#[test]
fn an_object_has_one_log_even_when_that_was_given_up() {
    let mut object = open(&mut counter());
    let (failing, _told) = log(true);
    object.report_to(failing).unwrap();
    let (other, told) = log(false);
    assert_eq!(object.report_to(other.clone()), Err(Failure::Begun));
    count(&mut object, DUE);
    assert_eq!(object.report_to(other), Err(Failure::Begun));
    object.close().unwrap();
    assert_eq!(told.recv().unwrap(), None, "it was told nothing");
}
