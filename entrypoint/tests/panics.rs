//! Foreign code that panics: the entrypoint lives on, and nobody but the client concerned notices.

mod common;

use common::{Act, Plain, actor, new, plain, serve_while, with_grave};
use portcullis_entrypoint::{Error, SignalLevel};
use portcullis_rpc::{self as rpc, Capability};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

#[test]
fn a_method_that_panics_costs_its_client_the_answer_and_nothing_else() {
    let entrypoint = new();
    let mut calls = 0;
    let fragile: Capability<dyn Act> = entrypoint.manage(actor(&entrypoint, move |_, _| {
        calls += 1;
        assert!(calls != 2, "the second call panics, as the test wants");
        Ok(calls)
    }));
    let bystander: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let results = serve_while(&entrypoint, move || {
        let mut client = fragile.client();
        let first = client.act(None);
        let second = client.act(Some(bystander.clone()));
        (first, second, bystander.client().add(1), client.act(None))
    });
    let panicked = Err(rpc::Error::ServerPanicked);
    // The third call finds what the panic left: the object is not poisoned, and not replaced.
    assert_eq!(results, (Ok(1), panicked, Ok(1), Ok(3)));
}

#[test]
fn an_object_that_dissolves_itself_and_panics_is_gone() {
    let entrypoint = new();
    let is_dropped = Rc::new(Cell::new(false));
    let grave = is_dropped.clone();
    let mut object = actor(&entrypoint, |entrypoint, _| {
        entrypoint.dissolve_current();
        panic!("as the test wants");
    });
    object.grave = Some(Box::new(move || grave.set(true)));
    let capability: Capability<dyn Act> = entrypoint.manage(object);
    let results = serve_while(&entrypoint, move || {
        let mut client = capability.client();
        (client.act(None), client.act(None))
    });
    assert_eq!(results, (Err(rpc::Error::ServerPanicked), Err(rpc::Error::InvalidCapability)));
    assert!(is_dropped.get());
}

#[test]
fn a_panic_passes_through_apply_and_leaves_the_object_in_the_pool() {
    let entrypoint = new();
    let inner: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let seen = inner.clone();
    let outer: Capability<dyn Act> = entrypoint.manage(actor(&entrypoint, move |entrypoint, _| {
        Ok(entrypoint.apply(&seen, |object: &mut common::Actor<Plain>| {
            object.sum = 5;
            panic!("as the test wants");
        })?)
    }));
    let object = inner.clone();
    let results = serve_while(&entrypoint, move || (outer.client().act(None), object.client().add(1)));
    assert_eq!(results, (Err(rpc::Error::ServerPanicked), Ok(6)));

    let outside = catch_unwind(AssertUnwindSafe(|| {
        entrypoint.apply(&inner, |_: &mut common::Actor<Plain>| panic!("as the test wants"))
    }));
    assert!(outside.is_err(), "without a handler it is the caller's panic");
    assert_eq!(entrypoint.apply(&inner, |object: &mut common::Actor<Plain>| object.sum), Ok(6));
}

#[test]
fn closures_drops_and_notices_that_panic_do_not_end_the_entrypoint() {
    let entrypoint = new();
    let handle = entrypoint.handle();
    let doomed: Capability<dyn Act> =
        entrypoint.manage(with_grave(&entrypoint, || panic!("as the test wants")));
    let counted: Capability<dyn Act> =
        entrypoint.manage_counted(plain(&entrypoint), |_, _| panic!("as the test wants"));
    let survivor: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let results = serve_while(&entrypoint, move || {
        handle.post(|_| panic!("as the test wants")).expect("it runs");
        let asked = handle.ask(|_| -> u32 { panic!("as the test wants") });
        let dissolved = handle.ask(move |entrypoint| entrypoint.dissolve(&doomed));
        drop(counted);
        // After the notice: one of the two events that are there is the next.
        let after = (handle.ask(|_| 1), handle.ask(|_| 2));
        (asked, dissolved, after, survivor.client().add(3))
    });
    assert_eq!(results, (Err(Error::Panicked), Ok(true), (Ok(1), Ok(2)), Ok(3)));
    assert_eq!(entrypoint.usage().objects, 3, "itself, the counted one and the survivor");
}

#[test]
fn drops_that_panic_when_the_entrypoint_ends_end_nobody_else() {
    struct Fragile(Rc<Cell<u32>>);
    impl Drop for Fragile {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            panic!("as the test wants");
        }
    }
    let entrypoint = new();
    let dropped = Rc::new(Cell::new(0));
    for _ in 0..2 {
        let fragile = Fragile(dropped.clone());
        let _: Capability<dyn Act> = entrypoint.manage(with_grave(&entrypoint, move || drop(fragile)));
        let fragile = Fragile(dropped.clone());
        let _ = entrypoint.manage_signal((), SignalLevel::Io, move |(), _| {
            let _ = &fragile;
        });
        let fragile = Fragile(dropped.clone());
        entrypoint.spawn(async move {
            std::future::pending::<()>().await;
            drop(fragile);
        });
        entrypoint.handle().post(|_| ()).expect("it has not ended");
    }
    let ended = catch_unwind(AssertUnwindSafe(|| drop(entrypoint)));
    let said = ended.expect_err("the first goes on, for whoever drops the entrypoint");
    assert_eq!(said.downcast_ref(), Some(&"as the test wants"));
    assert_eq!(dropped.get(), 6);
}
