//! Circles of calls over capabilities that nobody has called before.

use crate::{LIMIT, first_of, fleet, object_for};
use portcullis_ipc::Error;
use portcullis_tests::authority::fleet::Fleet;
use portcullis_tests::authority::op::{Action, Actor, Failure, Holding, Object, Op, Outcome};
use portcullis_tests::watchdog::Watchdog;
use std::sync::Barrier;
use std::time::{Duration, Instant};

const A: Actor = first_of(0);
const B: Actor = first_of(1);
const C: Actor = first_of(2);

/// Actors wait for an answer for twenty times as long.
const SOON: Duration = Duration::from_secs(1);

/// Has an actor call along a route. It must know what came of it long before its deadline.
fn call(fleet: &Fleet, actor: Actor, route: &[u64]) -> Outcome {
    let (route, start) = (route.iter().copied().map(Holding).collect(), Instant::now());
    let outcome = fleet.order(&Op::Call { actor, route, action: Action::Identify });
    assert!(start.elapsed() < SOON, "{outcome:?} after {:?}", start.elapsed());
    outcome
}

#[test]
fn a_circle_over_capabilities_that_were_never_called_is_a_call_cycle_at_once() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut fleet = fleet(3)?;
    for round in 0..100 {
        let number = 1 + 3 * round;
        for (number, owner, holder) in [(number, A, C), (number + 1, B, A), (number + 2, C, B)] {
            object_for(&mut fleet, number, owner, &[holder])?;
        }
        let [a, b, c] = [number * 10, (number + 1) * 10, (number + 2) * 10];
        let answer = call(&fleet, A, &[b, c, a]);
        assert_eq!(answer, Outcome::Failed(Failure::CallCycle), "in round {round}");
    }
    Ok(())
}

#[test]
fn two_that_call_each_other_at_once_by_capabilities_that_were_never_called_are_a_call_cycle()
-> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut fleet = fleet(2)?;
    let (gate, mut circles) = (Barrier::new(2), 0);
    for round in 0..500 {
        let [one, other] = [1 + 2 * round, 2 + 2 * round];
        object_for(&mut fleet, one, A, &[B])?;
        object_for(&mut fleet, other, B, &[A])?;
        let at_once = |actor, what| {
            gate.wait();
            call(&fleet, actor, &[what])
        };
        let outcomes = std::thread::scope(|scope| {
            let first = scope.spawn(|| at_once(A, other * 10));
            let second = at_once(B, one * 10);
            [first.join().expect("it does not panic"), second]
        });
        for (outcome, object) in outcomes.into_iter().zip([other, one]) {
            match outcome {
                Outcome::Failed(Failure::CallCycle) => circles += 1,
                outcome => assert_eq!(outcome, Outcome::Answered(Object(object)), "in round {round}"),
            }
        }
    }
    eprintln!("{circles} of 1000 calls were circles");
    Ok(())
}
