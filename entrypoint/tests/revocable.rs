//! Capabilities that their giver takes back.

mod common;

use common::{Act, Plain, actor, new, plain, serve_while, start};
use portcullis_entrypoint::Revocable;
use portcullis_rpc::{Capability, Error};

/// A target, and somebody on the other side of a revocable capability: all calls, and what comes back.
fn use_it(lent: &Capability<dyn Act>, passed: &Capability<dyn Act>) -> Result<(u64, u64, String), Error> {
    let mut client = lent.client();
    let sum = client.add(5)?;
    let (back, label) = client.pass(passed.clone(), "through")?;
    Ok((sum, back.client().add(1)?, label))
}

#[test]
fn calls_and_capabilities_pass_both_ways_to_a_target_of_the_same_entrypoint() {
    let entrypoint = new();
    let target: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let passed: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let lent = Revocable::new(&entrypoint, target.clone());
    let given = lent.capability();
    let result = serve_while(&entrypoint, move || use_it(&given, &passed));
    assert_eq!(result, Ok((5, 1, "THROUGH".into())));
    assert_eq!(entrypoint.apply(&target, |target: &mut common::Actor<Plain>| target.sum), Ok(5));
}

#[test]
fn calls_and_capabilities_pass_both_ways_to_a_target_elsewhere() {
    let (target, _there) = start(|entrypoint| entrypoint.manage::<dyn Act, _>(plain(entrypoint)));
    let (passed, _elsewhere) = start(|entrypoint| entrypoint.manage::<dyn Act, _>(plain(entrypoint)));
    let entrypoint = new();
    let lent = Revocable::new(&entrypoint, target);
    let given = lent.capability();
    assert_eq!(serve_while(&entrypoint, move || use_it(&given, &passed)), Ok((5, 1, "THROUGH".into())));
}

#[test]
fn taken_back_it_is_dead_and_the_target_is_not() {
    let entrypoint = new();
    let target: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let (revoked, dropped) =
        (Revocable::new(&entrypoint, target.clone()), Revocable::new(&entrypoint, target.clone()));
    let given = [revoked.capability(), dropped.capability()];
    let calls = given.clone();
    let before = serve_while(&entrypoint, move || calls.map(|given| given.client().add(1)));
    assert_eq!(before, [Ok(1), Ok(2)]);
    revoked.revoke();
    drop(dropped);
    let after =
        serve_while(&entrypoint, move || (given.map(|given| given.client().add(1)), target.client().add(1)));
    assert_eq!(after, ([Err(Error::InvalidCapability), Err(Error::InvalidCapability)], Ok(3)));
}

#[test]
fn it_is_taken_back_while_a_call_is_passed_on() {
    let entrypoint = new();
    let target: Capability<dyn Act> = entrypoint.manage(actor(&entrypoint, |entrypoint, lent| {
        Ok(u64::from(entrypoint.dissolve(&lent.expect("the client passed it"))))
    }));
    let lent = Revocable::new(&entrypoint, target);
    let given = lent.capability();
    let results =
        serve_while(&entrypoint, move || (given.client().act(Some(given.clone())), given.client().act(None)));
    assert_eq!(results, (Ok(1), Err(Error::InvalidCapability)), "the call under way is answered");
}

#[test]
fn it_can_be_lent_on_and_each_taken_back_alone() {
    let entrypoint = new();
    let target: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let outer = Revocable::new(&entrypoint, target);
    let inner = Revocable::new(&entrypoint, outer.capability());
    let given = [outer.capability(), inner.capability()];
    let calls = given.clone();
    let results = serve_while(&entrypoint, move || calls.map(|given| given.client().add(1)));
    assert_eq!(results, [Ok(1), Ok(2)]);
    outer.revoke();
    let results = serve_while(&entrypoint, move || given.map(|given| given.client().add(1)));
    assert_eq!(results, [Err(Error::InvalidCapability), Err(Error::InvalidCapability)]);
    drop(inner);
}

#[test]
fn errors_of_the_target_pass_too() {
    let entrypoint = new();
    let panics: Capability<dyn Act> =
        entrypoint.manage(actor(&entrypoint, |_, _| panic!("as the test wants")));
    let here: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let (dead, ended) = start(|entrypoint| entrypoint.manage::<dyn Act, _>(plain(entrypoint)));
    let lent = [&panics, &here, &dead].map(|target| Revocable::new(&entrypoint, target.clone()));
    let given = lent.each_ref().map(Revocable::capability);
    drop(ended);
    entrypoint.dissolve(&here);
    let results = serve_while(&entrypoint, move || given.map(|given| given.client().act(None)));
    let invalid = Err(Error::InvalidCapability);
    assert_eq!(results, [Err(Error::ServerPanicked), invalid.clone(), invalid]);
}

#[test]
fn a_revocable_may_outlive_its_entrypoint() {
    let entrypoint = new();
    let target: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let lent = Revocable::new(&entrypoint, target);
    assert!(format!("{lent:?}").contains("Act"));
    drop(entrypoint);
    assert_eq!(lent.capability().client().add(1), Err(Error::Disconnected));
    lent.revoke();
}
