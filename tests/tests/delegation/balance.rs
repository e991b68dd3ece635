//! What is given and dropped leaves nothing behind.

use crate::{LIMIT, first_of, fleet, object_for};
use portcullis_ipc::Error;
use portcullis_tests::authority::fleet::Fleet;
use portcullis_tests::authority::op::{Actor, Holding, Object, Outcome};
use portcullis_tests::authority::orders::Report;
use portcullis_tests::resources::eventually;
use portcullis_tests::watchdog::Watchdog;

const PARTIES: [Actor; 3] = [first_of(0), first_of(1), first_of(2)];

/// Delegations at once: fewer than the portals that one client may have open, however late the owner comes to them.
const AT_ONCE: u64 = 200;

/// So many delegations; half of them are called before they are dropped.
fn lend(fleet: &Fleet, times: u64) {
    let [owner, giver, _] = PARTIES;
    for turn in 0..times / AT_ONCE {
        let called = turn % 2 == 1;
        let outcome = fleet.lend(giver, Holding(20), Holding(10), called, AT_ONCE);
        // Either the taker's object answers, or has the one that it was given answer.
        assert_eq!(outcome, Outcome::Answered(Object(if called { 1 } else { 2 })));
        let is_idle = || fleet.report(owner).is_ok_and(|now| (now.channels, now.rows) == (3, 2));
        assert!(eventually(is_idle), "{:?}", fleet.report(owner));
    }
}

fn reports(fleet: &Fleet) -> Result<Vec<Report>, Error> {
    PARTIES.iter().map(|party| fleet.report(*party)).collect()
}

/// What allocations may map beyond that, for the one time that most was under way at once: on a busy machine that is all that is
/// lent in a turn. What each delegation left behind would be a hundred thousand.
const ALLOCATIONS: u64 = 32;

fn is_within(now: &Report, before: &Report) -> bool {
    (now.channels, now.objects) == (before.channels, before.objects)
        && now.rows <= before.rows
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
    // What a process keeps once it has done something for the first time.
    lend(&fleet, 2_000);
    let mut before = reports(&fleet)?;
    for _ in 0..50 {
        for (least, now) in before.iter_mut().zip(reports(&fleet)?) {
            // What was dropped and closed is gone a little later.
            least.rows = least.rows.min(now.rows);
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
