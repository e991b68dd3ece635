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

/// What allocations may map beyond that, for the one time that most was under way at once.
const ALLOCATIONS: u64 = 8;

fn is_within(now: &Report, before: &Report) -> bool {
    let known = |report: &Report| (report.channels, report.rows, report.objects);
    known(now) == known(before)
        && now.descriptors <= before.descriptors
        && now.mappings <= before.mappings + ALLOCATIONS
}

#[test]
fn a_hundred_thousand_delegations_and_drops_leave_everything_as_before() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let [owner, giver, taker] = PARTIES;
    let mut fleet = fleet(3)?;
    object_for(&mut fleet, 1, owner, &[giver])?;
    object_for(&mut fleet, 2, taker, &[giver])?;
    // What a process keeps once it has done something for the first time; and what was under way, is over then.
    lend(&fleet, 2_000);
    let idle = |report: &Report| (report.channels, report.rows) <= (3, 2);
    assert!(eventually(|| reports(&fleet).is_ok_and(|now| now.iter().all(idle))), "{:?}", reports(&fleet)?);
    let mut before = reports(&fleet)?;
    for _ in 0..50 {
        for (least, now) in before.iter_mut().zip(reports(&fleet)?) {
            // What was closed is gone a little later.
            least.descriptors = least.descriptors.min(now.descriptors);
        }
    }
    lend(&fleet, 100_000);
    let as_before = || {
        reports(&fleet).is_ok_and(|now| now.iter().zip(&before).all(|(now, before)| is_within(now, before)))
    };
    assert!(eventually(as_before), "{:?} after {before:?}", reports(&fleet)?);
    Ok(())
}
