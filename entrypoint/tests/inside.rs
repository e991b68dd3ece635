//! What a method may do to its own entrypoint while it runs.

mod common;

use common::{Act, Plain, actor, mortal, new, plain, serve_while, start, with_grave};
use portcullis_entrypoint::Error;
use portcullis_ipc::Deadline;
use portcullis_rpc::{self as rpc, Capability};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[test]
fn a_method_manages_new_objects() {
    let entrypoint = new();
    let made = Rc::new(RefCell::new(None));
    let keep = made.clone();
    let maker: Capability<dyn Act> = entrypoint.manage(actor(&entrypoint, move |entrypoint, _| {
        let new: Capability<dyn Act> = entrypoint.manage(plain(entrypoint));
        *keep.borrow_mut() = Some(new);
        Ok(u64::from(entrypoint.usage().objects))
    }));
    // The maker, the new object, and the entrypoint itself.
    assert_eq!(serve_while(&entrypoint, move || maker.client().act(None)), Ok(3));
    let made = made.take().expect("the method ran");
    assert_eq!(serve_while(&entrypoint, move || made.client().add(5)), Ok(5));
}

#[test]
fn a_method_dissolves_its_own_object() {
    let entrypoint = new();
    let is_dropped = Rc::new(Cell::new(false));
    let (grave, seen) = (is_dropped.clone(), is_dropped.clone());
    let mut object = actor(&entrypoint, move |entrypoint, me: Option<Capability<dyn Act>>| {
        let me = me.expect("the client passed it");
        assert!(entrypoint.manages(&me));
        assert!(entrypoint.dissolve_current());
        assert!(!entrypoint.manages(&me), "the capability dies now");
        assert!(!entrypoint.dissolve_current() && !entrypoint.dissolve(&me), "once");
        assert!(!seen.get(), "the object lives while its method runs");
        Ok(42)
    });
    object.grave = Some(Box::new(move || grave.set(true)));
    let capability: Capability<dyn Act> = entrypoint.manage(object);
    let results = serve_while(&entrypoint, move || {
        let mut client = capability.client();
        (client.act(Some(capability.clone())), client.add(1))
    });
    assert_eq!(results, (Ok(42), Err(rpc::Error::InvalidCapability)), "answered first, gone then");
    assert!(is_dropped.get());
    assert!(!entrypoint.dissolve_current(), "no handler runs");
}

#[test]
fn a_method_dissolves_another_object_whose_drop_waits() {
    let entrypoint = new();
    let inside = Rc::new(Cell::new(false));
    let dropped_inside = Rc::new(Cell::new(None));
    let (in_method, in_drop, record) = (inside.clone(), inside.clone(), dropped_inside.clone());
    let other: Capability<dyn Act> =
        entrypoint.manage(with_grave(&entrypoint, move || record.set(Some(in_drop.get()))));
    let to_dissolve = other.clone();
    let seen = dropped_inside.clone();
    let capability: Capability<dyn Act> = entrypoint.manage(actor(&entrypoint, move |entrypoint, _| {
        in_method.set(true);
        assert!(entrypoint.dissolve(&to_dissolve));
        assert!(!entrypoint.manages(&to_dissolve), "its capability dies now");
        assert_eq!(seen.get(), None, "and it itself later");
        in_method.set(false);
        Ok(0)
    }));
    let results = serve_while(&entrypoint, move || (capability.client().act(None), other.client().add(1)));
    assert_eq!(results, (Ok(0), Err(rpc::Error::InvalidCapability)));
    assert_eq!(dropped_inside.get(), Some(false), "dropped, and not inside the method");
}

#[test]
fn a_drop_dissolves_another_object_after_its_own_end() {
    let entrypoint = new();
    let events = Rc::new(RefCell::new(Vec::new()));
    let (first_log, last_log) = (events.clone(), events.clone());
    let last: Capability<dyn Act> =
        entrypoint.manage(with_grave(&entrypoint, move || last_log.borrow_mut().push("last dropped")));
    let weak = entrypoint.downgrade();
    let first: Capability<dyn Act> = entrypoint.manage(with_grave(&entrypoint, move || {
        let entrypoint = weak.upgrade().expect("it drops this object");
        first_log.borrow_mut().push("first begins");
        assert!(entrypoint.dissolve(&last));
        assert_eq!(entrypoint.run(), Err(Error::Nested), "a drop counts as a handler");
        first_log.borrow_mut().push("first ends");
    }));
    assert!(entrypoint.dissolve(&first));
    assert_eq!(*events.borrow(), ["first begins", "first ends", "last dropped"]);
    assert_eq!(entrypoint.usage().objects, 1);
}

#[test]
fn without_a_handler_a_dissolved_object_is_dropped_at_once() {
    let entrypoint = new();
    let (object, is_dropped) = mortal(&entrypoint);
    let capability: Capability<dyn Act> = entrypoint.manage(object);
    assert!(entrypoint.dissolve(&capability) && is_dropped.get());
    assert!(!entrypoint.dissolve(&capability));
}

#[test]
fn the_next_object_in_the_slot_of_a_dissolved_one_is_another() {
    let entrypoint = new();
    let old: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    entrypoint.dissolve(&old);
    let new: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    assert_eq!(entrypoint.apply(&old, |_: &mut common::Actor<Plain>| ()), Err(Error::NotManaged));
    let results = serve_while(&entrypoint, move || (old.client().add(1), new.client().add(2)));
    assert_eq!(results, (Err(rpc::Error::InvalidCapability), Ok(2)));
}

#[test]
fn apply_reaches_an_object_that_came_home() {
    let entrypoint = new();
    let account: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let clerk: Capability<dyn Act> = entrypoint.manage(actor(&entrypoint, |entrypoint, account| {
        let account = account.expect("the client passed it");
        Ok(entrypoint.apply(&account, |account: &mut common::Actor<Plain>| {
            account.sum += 10;
            account.sum
        })?)
    }));
    let results = serve_while(&entrypoint, move || {
        (account.client().add(1), clerk.client().act(Some(account.clone())), account.client().add(1))
    });
    assert_eq!(results, (Ok(1), Ok(11), Ok(12)));
}

#[test]
fn apply_refuses_what_is_busy_of_another_type_or_not_ours() {
    type Script = Box<
        dyn FnMut(&portcullis_entrypoint::Entrypoint, Option<Capability<dyn Act>>) -> Result<u64, rpc::Error>,
    >;
    let entrypoint = new();
    let other: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let seen = other.clone();
    let script: Script = Box::new(move |entrypoint, me| {
        let me = me.expect("the client passed it");
        let on_itself = entrypoint.apply(&me, |_: &mut common::Actor<Script>| ());
        assert_eq!(on_itself, Err(Error::Busy));
        // Further up the stack is the same, with another object in between.
        let nested = entrypoint.apply(&seen, |_: &mut common::Actor<Plain>| {
            entrypoint.apply(&me, |_: &mut common::Actor<Script>| ())
        });
        assert_eq!(nested, Ok(Err(Error::Busy)));
        let wrong = entrypoint.apply(&seen, |_: &mut String| ());
        assert!(matches!(wrong, Err(Error::WrongType { expected }) if expected.contains("String")));
        assert_eq!(
            entrypoint.apply(&seen, |_: &mut common::Actor<Plain>| 7),
            Ok(7),
            "it is back in the pool"
        );
        Ok(1)
    });
    let me: Capability<dyn Act> = entrypoint.manage(actor(&entrypoint, script));
    let result = serve_while(&entrypoint, move || me.client().act(Some(me.clone())));
    assert_eq!(result, Ok(1));

    let (foreign, _running) = start(|entrypoint| entrypoint.manage::<dyn Act, _>(plain(entrypoint)));
    assert_eq!(entrypoint.apply(&foreign, |_: &mut common::Actor<Plain>| ()), Err(Error::NotManaged));
    assert!(!entrypoint.dissolve(&foreign));
    entrypoint.dissolve(&other);
    assert_eq!(entrypoint.apply(&other, |_: &mut common::Actor<Plain>| ()), Err(Error::NotManaged));
}

#[test]
fn an_object_is_taken_back_unless_it_is_busy_of_another_type_or_not_ours() {
    type Script = Box<
        dyn FnMut(&portcullis_entrypoint::Entrypoint, Option<Capability<dyn Act>>) -> Result<u64, rpc::Error>,
    >;
    let entrypoint = new();
    let script: Script = Box::new(|entrypoint, me| {
        let me = me.expect("the client passed it");
        assert_eq!(entrypoint.take::<_, common::Actor<Script>>(&me).err(), Some(Error::Busy));
        Ok(1)
    });
    let is_dropped = Rc::new(Cell::new(false));
    let grave = is_dropped.clone();
    let mut object = actor(&entrypoint, script);
    object.grave = Some(Box::new(move || grave.set(true)));
    let me: Capability<dyn Act> = entrypoint.manage(object);
    let wrong = entrypoint.take::<_, String>(&me);
    assert!(matches!(wrong, Err(Error::WrongType { expected }) if expected.contains("String")));
    let client = me.clone();
    let results =
        serve_while(&entrypoint, move || (client.client().act(Some(client.clone())), client.client().add(7)));
    assert_eq!(results, (Ok(1), Ok(7)), "it is still there");

    let object: common::Actor<Script> = entrypoint.take(&me).expect("it is managed");
    assert_eq!((object.sum, is_dropped.get()), (7, false));
    assert!(!entrypoint.manages(&me));
    assert_eq!(entrypoint.take::<_, common::Actor<Script>>(&me).err(), Some(Error::NotManaged));
    assert_eq!(entrypoint.usage().objects, 1, "the entrypoint itself");
    drop(object);
    assert!(is_dropped.get());
}

#[test]
fn a_method_calls_an_object_of_another_entrypoint() {
    let (far, _running) = start(|entrypoint| entrypoint.manage::<dyn Act, _>(plain(entrypoint)));
    let entrypoint = new();
    let near: Capability<dyn Act> =
        entrypoint.manage(actor(&entrypoint, |_, far| far.expect("the client passed it").client().add(20)));
    let results = serve_while(&entrypoint, move || {
        (near.client().act(Some(far.clone())), near.client().act(Some(far)), near.client().add(1))
    });
    assert_eq!(results, (Ok(20), Ok(40), Ok(1)));
}

#[test]
fn a_handler_cannot_run_its_entrypoint() {
    let entrypoint = new();
    let capability: Capability<dyn Act> = entrypoint.manage(actor(&entrypoint, |entrypoint, _| {
        assert_eq!(entrypoint.run(), Err(Error::Nested));
        assert_eq!(entrypoint.run_until(Deadline::Never), Err(Error::Nested));
        assert_eq!(entrypoint.dispatch_ready(), Err(Error::Nested));
        Ok(3)
    }));
    assert_eq!(serve_while(&entrypoint, move || capability.client().act(None)), Ok(3));
}

#[test]
fn objects_end_with_their_entrypoint() {
    let entrypoint = new();
    let (object, is_dropped) = mortal(&entrypoint);
    let weak = entrypoint.downgrade();
    let capability: Capability<dyn Act> = entrypoint.manage(object);
    drop(entrypoint);
    assert!(is_dropped.get() && weak.upgrade().is_none());
    assert_eq!(capability.client().add(1), Err(rpc::Error::Disconnected));
}

#[test]
fn debug_names_the_interface_and_what_goes_on() {
    let entrypoint = new();
    let capability: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let text = format!("{capability:?}");
    assert!(text.contains("Act") && text.contains("of this process"), "{text}");
    let text = format!("{entrypoint:?}");
    assert!(text.contains("objects: 1") && text.contains("Nobodys"), "{text}");
    let text = entrypoint.apply(&capability, |_: &mut common::Actor<Plain>| format!("{entrypoint:?}"));
    assert!(text.as_ref().is_ok_and(|text| text.contains("Objects(")), "{text:?}");
}
