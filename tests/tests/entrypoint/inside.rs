//! What a method does to its own entrypoint while it runs. More of it, closer: the entrypoint's own tests.

use crate::{Outcome, Place};
use portcullis_rpc::Error;
use portcullis_tests::resources::eventually;
use portcullis_tests::workshop::{Counter, Workshop};

pub(crate) fn a_method_manages_and_delegates_new_objects<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let before = root.holdings()?;
    let counter = root.counter(4)?;
    let after = root.holdings()?;
    assert_eq!(after.objects, before.objects + 1);
    assert_eq!(after.rows, before.rows + u32::from(P::ROWS));
    assert_eq!(counter.client().number()?, 4);
    Ok(())
}

pub(crate) fn a_method_dissolves_its_own_object<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let mut counter = root.counter(1)?.client();
    assert_eq!(counter.end(), Ok(()), "answered first");
    assert_eq!(counter.end(), Err(Error::InvalidCapability), "gone then");
    assert_eq!(root.holdings()?.drops, 1);
    Ok(())
}

pub(crate) fn a_method_dissolves_others_whose_drops_wait<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    for number in 0..20 {
        let counter = root.counter(number)?;
        assert!(root.dissolve(counter.clone())?);
        assert_eq!(counter.client().number(), Err(Error::InvalidCapability));
    }
    let holdings = root.holdings()?;
    assert_eq!((holdings.drops, holdings.drops_inside), (20, 0));
    Ok(())
}

pub(crate) fn a_method_applies_to_what_came_home_and_not_to_itself<P: Place>() -> Outcome {
    let (host, other) = (P::start()?, P::start()?);
    let mut root = host.root.client();
    let counter = root.counter(1)?;
    assert_eq!(root.apply(counter.clone(), 30)?, 30);
    assert_eq!(counter.client().add(1)?, 31);
    assert!(root.apply_to_itself(host.root.clone())?, "busy");
    let foreign = other.root.client().counter(2)?;
    // Relayed: it is the server that was refused, by its own entrypoint.
    let relayed = Error::Relayed(Error::InvalidCapability.to_string());
    assert_eq!(root.apply(foreign.clone(), 1), Err(relayed));
    assert_eq!(foreign.client().add(1)?, 1);
    Ok(())
}

pub(crate) fn a_method_panics_and_the_entrypoint_lives_on<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let counter = root.counter(1)?;
    for round in 1..=10 {
        assert_eq!(root.panic(), Err(Error::ServerPanicked));
        assert_eq!(counter.client().add(1)?, round, "a bystander");
    }
    assert_eq!(root.holdings()?.drops, 0, "the object that panicked is as it was, and so are the others");
    Ok(())
}

pub(crate) fn a_method_calls_another_entrypoint<P: Place>() -> Outcome {
    let (host, other) = (P::start()?, P::start()?);
    let mut root = host.root.client();
    let counter = other.root.client().counter(1)?;
    root.keep(counter.clone())?;
    for round in 1..=50 {
        assert_eq!(root.add_to_kept(2)?, Some(round * 2));
    }
    // Its error is one of the server's, and the server goes on.
    counter.client().end()?;
    let relayed = Err(Error::Relayed(Error::InvalidCapability.to_string()));
    assert!(eventually(|| root.add_to_kept(1) == relayed));
    assert_eq!(root.counter(5)?.client().number()?, 5);
    Ok(())
}
