//! Signals for threads that are no entrypoint.

use portcullis_entrypoint::{Error, SignalReceiver};
use portcullis_ipc::{Deadline, Limits, Pd};
use portcullis_rpc::SignalCapability;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const LONG: Deadline = Deadline::After(Duration::from_secs(60));
const SOON: Deadline = Deadline::After(Duration::from_millis(20));

fn receiver() -> SignalReceiver {
    SignalReceiver::new(&Pd::new().expect("a domain")).expect("there are descriptors")
}

#[test]
fn a_thread_blocks_until_there_is_a_signal() {
    let mut receiver = receiver();
    let (context, capability) = receiver.manage().expect("a context");
    for _ in 0..200 {
        let producer = capability.clone();
        let producer = std::thread::spawn(move || producer.submit());
        assert_eq!(receiver.wait(LONG), Ok(context));
        producer.join().expect("it only submits");
    }
    assert_eq!(receiver.poll(), Ok(None), "each was received once");
}

#[test]
fn a_thread_polls_and_the_deadline_is_met() {
    let mut receiver = receiver();
    let (context, capability) = receiver.manage().expect("a context");
    assert_eq!(receiver.poll(), Ok(None));
    let start = Instant::now();
    assert_eq!(receiver.wait(SOON), Err(Error::DeadlineExceeded));
    assert!(start.elapsed() >= Duration::from_millis(20));
    (0..1_000).for_each(|_| capability.submit());
    assert_eq!(receiver.poll(), Ok(Some(context)));
    assert_eq!(receiver.poll(), Ok(None), "a thousand submits are one signal");
    capability.submit();
    assert_eq!(receiver.wait(SOON), Ok(context));
    assert!(format!("{receiver:?} {capability:?} {context:?}").contains("SignalReceiver"));
}

#[test]
fn many_contexts_are_told_apart_and_take_turns() {
    let mut receiver = receiver();
    let (contexts, capabilities): (Vec<_>, Vec<_>) =
        (0..300).map(|_| receiver.manage().expect("a context")).unzip();
    for _ in 0..3 {
        capabilities.iter().rev().for_each(SignalCapability::submit);
        let received: Vec<_> = (0..contexts.len()).map(|_| receiver.wait(LONG).expect("a signal")).collect();
        assert_eq!(receiver.poll(), Ok(None));
        let places = received.iter().map(|signal| contexts.iter().position(|context| context == signal));
        assert_eq!(places.collect::<BTreeSet<_>>().len(), contexts.len());
    }
}

#[test]
fn what_is_dissolved_is_received_no_more() {
    let mut receiver = receiver();
    let (gone, of_gone) = receiver.manage().expect("a context");
    let (stays, of_stays) = receiver.manage().expect("a context");
    of_gone.submit();
    of_stays.submit();
    receiver.dissolve(gone);
    receiver.dissolve(gone);
    of_gone.submit();
    let (next, _of_next) = receiver.manage().expect("a context");
    assert_ne!(next, gone);
    assert_eq!(receiver.wait(LONG), Ok(stays));
    assert_eq!(receiver.wait(SOON), Err(Error::DeadlineExceeded));
    drop(receiver);
    (0..10_000).for_each(|_| of_stays.submit());
}

#[test]
fn limits_are_for_those_who_submit() {
    let limits = Limits { contexts: 1, ..Limits::default() };
    let mut receiver = SignalReceiver::with(&Pd::new().expect("a domain"), limits).expect("descriptors");
    // Within the process there are no rows.
    let pairs: Vec<_> = (0..5).map(|_| receiver.manage().expect("a context")).collect();
    pairs.iter().for_each(|pair| pair.1.submit());
    assert!(pairs.iter().all(|pair| receiver.wait(LONG) == Ok(pair.0)));
}
