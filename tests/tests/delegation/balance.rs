//! What is given and dropped leaves nothing behind.

use crate::{LIMIT, first_of, fleet, object_for};
use portcullis_ipc::Error;
use portcullis_tests::authority::fleet::Fleet;
use portcullis_tests::authority::op::{Actor, Holding, Object, Outcome};
use portcullis_tests::authority::orders::Report;
use portcullis_tests::resources::eventually;
use portcullis_tests::watchdog::Watchdog;

const PARTIES: [Actor; 3] = [first_of(0), first_of(1), first_of(2)];

/// Half of them are called before they are dropped.
fn lend(fleet: &Fleet, times: u64) {
    let [_, giver, _] = PARTIES;
    for called in [false, true] {
        let outcome = fleet.lend(giver, Holding(20), Holding(10), called, times / 2);
        // Either the taker's object answers, or has the one that it was given answer.
        assert_eq!(outcome, Outcome::Answered(Object(if called { 1 } else { 2 })));
    }
}

fn reports(fleet: &Fleet) -> Result<Vec<Report>, Error> {
    PARTIES.iter().map(|party| fleet.report(*party)).collect()
}

fn least(one: &Report, other: &Report) -> Report {
    let mut least = one.encode();
    least.iter_mut().zip(other.encode()).for_each(|(one, other)| *one = other.min(*one));
    Report::decode(&least).expect("as many words")
}

#[test]
fn a_hundred_thousand_delegations_and_drops_leave_everything_as_before() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let [owner, giver, taker] = PARTIES;
    let mut fleet = fleet(3)?;
    object_for(&mut fleet, 1, owner, &[giver])?;
    object_for(&mut fleet, 2, taker, &[giver])?;
    // What a process keeps once it has done something for the first time, such as room for allocations.
    lend(&fleet, 2_000);
    let mut before = reports(&fleet)?;
    for _ in 0..50 {
        before = before.iter().zip(&reports(&fleet)?).map(|(one, other)| least(one, other)).collect();
    }
    lend(&fleet, 100_000);
    let is_as_before = || {
        reports(&fleet)
            .is_ok_and(|now| now.iter().zip(&before).all(|(now, before)| least(now, before) == *now))
    };
    assert!(eventually(is_as_before), "{:?} after {before:?}", reports(&fleet)?);
    Ok(())
}
