//! How an object comes to be called: steps of figure 4.

use crate::{Outcome, Place};
use portcullis_rpc::Capability;
use portcullis_tests::workshop::{Counter, Position, Switch, Workshop};
use std::collections::HashSet;

pub(crate) fn fig4_c1_any_number_of_objects_of_any_types<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let before = root.holdings()?.objects;
    let mut last = root.counters(5_000)?.expect("there are some").client();
    let (mut counters, mut switches) = (Vec::new(), Vec::new());
    for number in 0..100 {
        counters.push(root.counter(number)?.client());
        switches.push(root.switch()?.client());
    }
    assert_eq!(root.holdings()?.objects, before + 5_000 + 2 * 100);
    for (counter, switch) in counters.iter_mut().zip(&mut switches) {
        let number = counter.number()?;
        assert_eq!(counter.add(number)?, number);
        assert_eq!(switch.set(Position::Right)?, Position::Left);
    }
    assert_eq!((last.number()?, last.add(3)?), (4_999, 3));
    Ok(())
}

pub(crate) fn fig4_c2_each_object_has_an_identity_of_its_own_with_the_same_destination<P: Place>() -> Outcome
{
    let host = P::start()?;
    let mut root = host.root.client();
    let mut counters = Vec::new();
    for number in 0..50 {
        counters.push(root.counter(number)?.client());
    }
    let mut threads = HashSet::new();
    for (number, counter) in (0..).zip(&mut counters) {
        assert_eq!((counter.number()?, counter.add(number)?), (number, number), "nobody else's");
        threads.insert(counter.thread()?);
    }
    assert_eq!(threads.len(), 1, "one thread serves all of them");
    // Each is in the pool under its own name: one ends, the others stay.
    counters[7].end()?;
    for (number, counter) in (0..).zip(&mut counters) {
        let expected = if number == 7 { Err(portcullis_rpc::Error::InvalidCapability) } else { Ok(number) };
        assert_eq!(counter.add(0), expected);
    }
    Ok(())
}

pub(crate) fn fig4_c3_the_capability_has_the_interfaces_type<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let counter: Capability<dyn Counter> = root.counter(1)?;
    let switch: Capability<dyn Switch> = root.switch()?;
    assert!(format!("{counter:?}").contains("Counter") && format!("{switch:?}").contains("Switch"));
    // Through the type, code does not know whether the object is near or far.
    fn ten(counter: &mut dyn Counter) -> Result<u64, portcullis_rpc::Error> {
        counter.add(4)?;
        counter.add(6)
    }
    assert_eq!(ten(&mut counter.client())?, 10);
    Ok(())
}

pub(crate) fn fig4_c4_delegation_gives_authority_and_nothing_before<P: Place>() -> Outcome {
    let (host, other) = (P::start()?, P::start()?);
    let (mut root, mut stranger) = (host.root.client(), other.root.client());
    let counter = root.counter(1)?;
    assert_eq!(stranger.add_to_kept(1)?, None, "nobody gave the stranger anything");
    stranger.keep(counter.clone())?;
    assert_eq!(stranger.add_to_kept(5)?, Some(5));
    assert_eq!(counter.client().add(1)?, 6, "the very same object");
    // What was delegated is not the giver's any more to hold or drop.
    drop(counter);
    assert_eq!(stranger.add_to_kept(1)?, Some(7));
    let back = stranger.give()?.expect("the stranger kept it");
    assert_eq!((stranger.add_to_kept(1)?, back.client().add(1)?), (None, 8));
    Ok(())
}

pub(crate) fn g16_the_pool_leads_from_names_to_objects<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let mut live = Vec::new();
    // Names are used again and again, by objects that come and go in no order; each capability leads to its own
    // object or to none.
    let mut numbers = 0_u64..;
    for round in 3..33 {
        for number in numbers.by_ref().take(10) {
            live.push((number, root.counter(number)?));
        }
        for place in [1, 4, 2, 0] {
            let place = place * round % live.len();
            let (number, gone) = live.swap_remove(place);
            assert_eq!(gone.client().number()?, number);
            assert!(root.dissolve(gone.clone())?);
            assert_eq!(gone.client().number(), Err(portcullis_rpc::Error::InvalidCapability));
        }
    }
    for (number, counter) in &live {
        assert_eq!(counter.client().number()?, *number);
    }
    let objects = usize::try_from(root.holdings()?.objects)?;
    assert_eq!(objects, live.len() + 2, "these, the workshop and the entrypoint itself");
    Ok(())
}
