//! The components of the chain, within one process.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

use portcullis_entrypoint::Entrypoint;
use portcullis_examples::Failure;
use portcullis_examples::chain::{Holdings, Hop, Origin, hop, origin};
use portcullis_ipc::Pd;
use portcullis_rpc::{Capability, Client, Interface};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// A component on a thread of its own; it ends with the test's process.
fn start<I: ?Sized + Interface + 'static>(manage: fn(&Entrypoint) -> Capability<I>) -> Client<I> {
    let (to_test, from_component) = channel();
    std::thread::spawn(move || {
        let entrypoint = Entrypoint::new(&Pd::new().unwrap()).unwrap();
        to_test.send(manage(&entrypoint)).unwrap();
        entrypoint.run()
    });
    from_component.recv().unwrap().client()
}

#[test]
fn a_hop_has_what_it_was_given_until_it_hands_it_on() {
    let (mut origin, mut first, mut second) = (start(origin::manage), start(hop::manage), start(hop::manage));
    assert_eq!(first.call(), Err(Failure::Empty));
    assert_eq!(first.pass(second.capability().clone()), Err(Failure::Empty));
    first.take(origin.open().unwrap()).unwrap();
    assert_eq!(first.call().unwrap().answer.calls, 1);
    first.pass(second.capability().clone()).unwrap();
    assert_eq!(first.call(), Err(Failure::Empty), "it keeps nothing");
    assert_eq!(second.call().unwrap().answer.calls, 2, "it is the same object");
}

#[test]
fn a_capability_that_cannot_be_handed_on_is_gone() {
    let (mut origin, mut hop) = (start(origin::manage), start(hop::manage));
    hop.take(origin.open().unwrap()).unwrap();
    let itself = hop.capability().clone();
    assert!(matches!(hop.pass(itself), Err(Failure::Call(_))), "a call of itself would not end");
    assert_eq!(hop.call(), Err(Failure::Empty));
}

#[test]
fn an_object_is_gone_with_its_last_holder() {
    let mut origin = start(origin::manage);
    let before = origin.holdings().unwrap();
    let mut hop = start(hop::manage);
    hop.take(origin.open().unwrap()).unwrap();
    let with_it = origin.holdings().unwrap();
    assert_eq!(with_it.objects, before.objects + 1);
    hop.take(origin.open().unwrap()).unwrap();
    // What was dropped may not have been noticed yet.
    let start = Instant::now();
    let is_one = |holdings: Holdings| holdings.objects == with_it.objects;
    while !is_one(origin.holdings().unwrap()) {
        assert!(start.elapsed() < Duration::from_secs(10), "what it held before does not go");
    }
    assert_eq!(hop.call().unwrap().answer.calls, 1, "it is the other one");
}
