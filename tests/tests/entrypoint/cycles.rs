//! Calls that would go round in a circle. No deadline may have to end them, so there is none here.

use crate::{Outcome, Place};
use portcullis_rpc::{Capability, Deadline, Error};
use portcullis_tests::resources::eventually;
use portcullis_tests::workshop::{Counter, Host, Journey, Workshop};
use std::time::Duration;

/// Calls one with the others as its further stations.
fn travel(first: &Host, others: &[&Host]) -> Result<Journey, Error> {
    let stations = others.iter().map(|host| host.root.clone()).collect();
    first.root.client().with_deadline(Deadline::Never).travel(stations)
}

/// The median time that it took to find a circle is below a millisecond.
fn assert_soon(journeys: impl Iterator<Item = Journey>) {
    let mut times: Vec<Duration> = journeys
        .filter_map(|journey| match journey {
            Journey::Arrived => None,
            Journey::Cycle { after, .. } => Some(after),
        })
        .collect();
    times.sort_unstable();
    assert!(times[times.len() / 2] < Duration::from_millis(1), "found out too late: {times:?}");
}

pub(crate) fn attack_13_a_call_that_comes_back_is_a_call_cycle<P: Place>() -> Outcome {
    let (a, b, c) = (P::start()?, P::start()?, P::start()?);
    let mut journeys = Vec::new();
    // At the first time, too, when they have only heard of each other.
    for _ in 0..50 {
        let journey = travel(&a, &[&b, &a])?;
        assert!(matches!(journey, Journey::Cycle { left: 1, .. }), "{journey:?}");
        journeys.push(journey);
        let journey = travel(&a, &[&b, &c, &b, &a])?;
        assert!(matches!(journey, Journey::Cycle { left: 2, .. }), "{journey:?}");
        journeys.push(journey);
        assert_eq!(travel(&a, &[&b, &c])?, Journey::Arrived, "all of them go on");
    }
    assert_soon(journeys.into_iter());
    assert_eq!(a.root.client().visits()?, 150, "once a journey");
    Ok(())
}

pub(crate) fn attack_13_a_call_to_its_own_entrypoint_is_a_call_cycle<P: Place>() -> Outcome {
    let (a, b) = (P::start()?, P::start()?);
    let journey = travel(&a, &[&a])?;
    assert!(matches!(journey, Journey::Cycle { left: 1, .. }), "{journey:?}");
    // Its own object, which comes back to it by way of another.
    b.root.client().keep(a.root.client().counter(7)?)?;
    let counter = b.root.client().give()?.ok_or("it was kept")?;
    a.root.client().keep(counter)?;
    let relayed = Error::Relayed(Error::CallCycle.to_string());
    assert_eq!(a.root.client().with_deadline(Deadline::Never).add_to_kept(1), Err(relayed));
    assert_eq!(a.root.client().give()?.ok_or("it is still kept")?.client().number()?, 7);
    Ok(())
}

/// Has the two call each other at the same time; what became of both.
fn collide(gate: &Host, one: &Host, other: &Host) -> Result<[Journey; 2], Error> {
    let meet = |host: &Host, partner: &Host| {
        let (host, gate, partner): (_, Capability<dyn Workshop>, _) =
            (host.root.client().with_deadline(Deadline::Never), gate.root.clone(), partner.root.clone());
        let mut host = host;
        std::thread::spawn(move || host.meet(gate, partner))
    };
    let threads = [meet(one, other), meet(other, one)];
    let mut guard = gate.root.client();
    assert!(eventually(|| guard.holdings().is_ok_and(|holdings| holdings.waiting == 2)));
    guard.answer(0)?;
    let [one, other] = threads.map(|thread| thread.join().expect("it does not panic"));
    Ok([one?, other?])
}

pub(crate) fn attack_13_two_that_call_each_other_at_once_are_a_call_cycle<P: Place>() -> Outcome {
    let (gate, a, b) = (P::start()?, P::start()?, P::start()?);
    let mut journeys = Vec::new();
    let mut arrived = 0;
    // Who hands them to each other has heard of both; they themselves have not, in the first round.
    assert_eq!(a.root.client().visits()? + b.root.client().visits()?, 0);
    for _ in 0..200 {
        let both = collide(&gate, &a, &b)?;
        let count = both.iter().filter(|journey| **journey == Journey::Arrived).count();
        assert!(count < 2, "neither can serve the other before it has its own answer: {both:?}");
        arrived += count;
        journeys.extend(both);
    }
    assert_soon(journeys.into_iter());
    // What failed was not carried out: each visit is the own or one that arrived.
    let visits = a.root.client().visits()? + b.root.client().visits()?;
    assert_eq!(visits, 400 + arrived as u64);
    Ok(())
}

pub(crate) fn calls_that_do_not_come_back_are_no_cycle<P: Place>() -> Outcome {
    let (a, b, c, d) = (P::start()?, P::start()?, P::start()?, P::start()?);
    // Two that call one, and each other's neighbours, at once.
    let calls = |first: &Host, second: &Host, third: &Host| {
        let (mut first, stations) = (first.root.client(), vec![second.root.clone(), third.root.clone()]);
        std::thread::spawn(move || {
            (0..500).try_for_each(|_| match first.travel(stations.clone())? {
                Journey::Arrived => Ok(()),
                cycle => Err(Error::Relayed(format!("{cycle:?}"))),
            })
        })
    };
    let threads = [calls(&a, &c, &d), calls(&b, &c, &d), calls(&a, &b, &d)];
    for thread in threads {
        thread.join().expect("it does not panic")?;
    }
    Ok(())
}
