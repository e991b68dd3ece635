//! Objects that want to know when nobody holds them any more, within a process. Across processes: see `tests`.

mod common;

use common::{Act, new, plain, serve_while};
use portcullis_entrypoint::{Entrypoint, Revocable};
use portcullis_ipc::Deadline;
use portcullis_rpc::Capability;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// A counted object that counts its notices.
fn counted(entrypoint: &Entrypoint) -> (Capability<dyn Act>, Rc<Cell<u32>>) {
    let notices = Rc::new(Cell::new(0));
    let count = notices.clone();
    let object = plain(entrypoint);
    let capability = entrypoint.manage_counted(object, move |_, _| count.set(count.get() + 1));
    (capability, notices)
}

fn settle(entrypoint: &Entrypoint) {
    while entrypoint.dispatch_ready().expect("nothing ends it") != 0 {}
}

#[test]
fn the_object_is_told_once_when_the_last_clone_is_dropped() {
    let entrypoint = new();
    let (capability, notices) = counted(&entrypoint);
    let other = capability.clone();
    drop(capability);
    settle(&entrypoint);
    assert_eq!(notices.get(), 0, "somebody has it");
    std::thread::spawn(move || drop(other)).join().expect("it only drops");
    settle(&entrypoint);
    settle(&entrypoint);
    assert_eq!(notices.get(), 1);
}

#[test]
fn it_is_told_by_an_entrypoint_that_sleeps() {
    let entrypoint = new();
    let weak = entrypoint.downgrade();
    let capability: Capability<dyn Act> = entrypoint.manage_counted(plain(&entrypoint), move |_, _| {
        weak.upgrade().expect("it runs").stop();
    });
    let dropper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(2));
        drop(capability);
    });
    assert_eq!(entrypoint.run(), Ok(()));
    dropper.join().expect("it only drops");
}

#[test]
fn the_notice_can_end_the_object() {
    let entrypoint = new();
    let capability: Capability<dyn Act> = entrypoint.manage_counted(plain(&entrypoint), |_, entrypoint| {
        assert!(entrypoint.dissolve_current());
    });
    settle(&entrypoint);
    assert_eq!(entrypoint.usage().objects, 2);
    drop(capability);
    settle(&entrypoint);
    assert_eq!(entrypoint.usage().objects, 1);
}

#[test]
fn an_object_that_was_dissolved_is_not_told() {
    let entrypoint = new();
    let (capability, notices) = counted(&entrypoint);
    entrypoint.dissolve(&capability);
    drop(capability);
    settle(&entrypoint);
    assert_eq!(notices.get(), 0);
}

#[test]
fn the_notice_is_not_given_inside_a_handler() {
    let entrypoint = new();
    let (capability, notices) = counted(&entrypoint);
    let handler: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let seen = entrypoint.apply(&handler, |_: &mut common::Actor<common::Plain>| {
        drop(capability);
        notices.get()
    });
    assert_eq!((seen, notices.get()), (Ok(0), 0));
    settle(&entrypoint);
    assert_eq!(notices.get(), 1);
}

#[test]
fn a_call_under_way_and_a_loan_count() {
    let entrypoint = new();
    let (capability, notices) = counted(&entrypoint);
    let lent = Revocable::new(&entrypoint, capability.clone());
    serve_while(&entrypoint, move || capability.client().act(Some(capability.clone())))
        .expect("it is served");
    settle(&entrypoint);
    assert_eq!(notices.get(), 0, "the lender holds it");
    drop(lent);
    assert_eq!(entrypoint.run_until(Deadline::After(Duration::from_millis(1))), Ok(()));
    assert_eq!(notices.get(), 1);
}
