//! How far a capability gets, and what becomes of it when those who passed it on have gone.

use crate::{LIMIT, done, first_of, fleet, object_for};
use portcullis_ipc::Error;
use portcullis_tests::authority::fleet::Fleet;
use portcullis_tests::authority::op::{Action, Actor, Failure, Holding, Object, Op, Outcome, Process};
use portcullis_tests::watchdog::Watchdog;

const S: Actor = first_of(0);
const A: Actor = first_of(1);
const B: Actor = first_of(2);
const C: Actor = first_of(3);
const D: Actor = first_of(4);

/// The object of S that travels, as A, B, C and D hold it.
const THING: Object = Object(1);
const AT: [Holding; 4] = [Holding(10), Holding(11), Holding(12), Holding(13)];
/// The ways from A to B, from B to C, from C to D.
const WAYS: [Holding; 3] = [Holding(20), Holding(30), Holding(40)];

fn call(fleet: &mut Fleet, actor: Actor, route: &[Holding], action: Action) -> Result<Outcome, Error> {
    fleet.execute(&Op::Call { actor, route: route.to_vec(), action })
}

/// A holds an object of S, and each knows the next.
fn chain() -> Result<Fleet, Error> {
    let mut fleet = fleet(5)?;
    object_for(&mut fleet, 1, S, &[A])?;
    for (number, owner, holder) in [(2, B, A), (3, C, B), (4, D, C)] {
        object_for(&mut fleet, number, owner, &[holder])?;
    }
    Ok(fleet)
}

/// One passes it on to the next, in an argument.
fn pass_on(fleet: &mut Fleet, from: usize) -> Result<(), Error> {
    let given = Action::Take(vec![(AT[from], AT[from + 1])]);
    assert_eq!(call(fleet, [A, B, C][from], &[WAYS[from]], given)?, Outcome::Done);
    Ok(())
}

fn end(fleet: &mut Fleet, actor: Actor, killed: bool) -> Result<(), Error> {
    done(fleet, &Op::End { process: actor.process(), killed })
}

fn d_calls(fleet: &mut Fleet) -> Result<Outcome, Error> {
    call(fleet, D, &[AT[3]], Action::Identify)
}

#[test]
fn a_capability_travels_from_a_to_b_to_c_to_d_and_when_a_b_and_c_have_ended_d_still_calls()
-> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    for killed in [false, true] {
        // Each ends as soon as it has passed it on, whether or not it ever called; or all of them later.
        for (at_once, called) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut fleet = chain()?;
            for from in 0..3 {
                if called {
                    let answer = call(&mut fleet, [A, B, C][from], &[AT[from]], Action::Identify)?;
                    assert_eq!(answer, Outcome::Answered(THING));
                }
                pass_on(&mut fleet, from)?;
                if at_once {
                    end(&mut fleet, [A, B, C][from], killed)?;
                }
            }
            if !at_once {
                [A, B, C].into_iter().try_for_each(|actor| end(&mut fleet, actor, killed))?;
            }
            for _ in 0..3 {
                assert_eq!(d_calls(&mut fleet)?, Outcome::Answered(THING), "{killed} {at_once} {called}");
            }
            end(&mut fleet, S, killed)?;
            assert_eq!(d_calls(&mut fleet)?, Outcome::Failed(Failure::Disconnected));
        }
    }
    Ok(())
}

#[test]
fn g3_delegation_across_processes_gives_authority_over_that_object_and_no_other() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut fleet = chain()?;
    object_for(&mut fleet, 5, S, &[A])?;
    (0..3).try_for_each(|from| pass_on(&mut fleet, from))?;
    assert_eq!(d_calls(&mut fleet)?, Outcome::Answered(THING));
    // With the end of that object its authority ends, though the entrypoint and its other objects live.
    done(&mut fleet, &Op::Dissolve { actor: S, object: THING })?;
    assert!(matches!(
        d_calls(&mut fleet)?,
        Outcome::Failed(Failure::InvalidCapability | Failure::Disconnected)
    ));
    let other = call(&mut fleet, A, &[Holding(50)], Action::Identify)?;
    assert_eq!(other, Outcome::Answered(Object(5)));
    Ok(())
}

#[test]
fn g4_whoever_drops_it_last_frees_the_row() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut fleet = chain()?;
    (0..3).try_for_each(|from| pass_on(&mut fleet, from))?;
    done(&mut fleet, &Op::Drop { actor: S, holding: Holding(1) })?;
    let holders = [A, B, C, D];
    // In all orders in which the first becomes the last.
    for turn in 0..4 {
        let holds = |place: usize| (holders[place], AT[place]);
        for (place, more) in (turn..turn + 4).map(|place| place % 4).zip([true, true, true, false]) {
            let (actor, holding) = holds(place);
            done(&mut fleet, &Op::Drop { actor, holding })?;
            let held = fleet.await_report(
                S,
                |now, start| if more { now.rows > start.rows } else { now.rows == start.rows },
                |now, start| more && now.rows == start.rows,
            );
            assert_eq!(held, Ok(()), "{actor:?} has dropped it, and others hold it: {more}");
        }
        if turn < 3 {
            let made = Op::Create { actor: S, object: Object(100 + turn as u64), holding: Holding(1) };
            done(&mut fleet, &made)?;
            done(&mut fleet, &Op::Carry { from: S, what: Holding(1), to: A, holding: AT[0] })?;
            (0..3).try_for_each(|from| pass_on(&mut fleet, from))?;
            done(&mut fleet, &Op::Drop { actor: S, holding: Holding(1) })?;
        }
    }
    Ok(())
}

#[test]
fn fig4_c4_delegation_across_processes_gives_authority_and_nothing_before() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut fleet = chain()?;
    // D has a channel to the very entrypoint, and knows every number; nothing leads to the object.
    object_for(&mut fleet, 6, S, &[D])?;
    assert_eq!(call(&mut fleet, D, &[Holding(60)], Action::Identify)?, Outcome::Answered(Object(6)));
    for number in (0..100).filter(|number| ![4, 60].contains(number)) {
        let answer = call(&mut fleet, D, &[Holding(number)], Action::Identify)?;
        assert!(matches!(answer, Outcome::Failed(Failure::Other(_))), "{number}: {answer:?}");
    }
    (0..3).try_for_each(|from| pass_on(&mut fleet, from))?;
    assert_eq!(d_calls(&mut fleet)?, Outcome::Answered(THING));
    Ok(())
}

/// The component B hands out its own object from inside a handler: to the parent C, which passes it on to the server
/// D before it answers.
#[test]
fn a_component_that_hands_out_its_own_object_through_a_parent_that_calls_on_does_not_deadlock()
-> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut fleet = chain()?;
    let (child, object, own) = (B, Object(7), Holding(7));
    object_for(&mut fleet, 7, child, &[])?;
    for number in 0..100 {
        // Everything that the three do with each other is one chain of calls, which ends.
        let action = Action::Take(vec![(own, Holding(1_000 + number))]);
        assert_eq!(call(&mut fleet, child, &[WAYS[1], WAYS[2]], action)?, Outcome::Done);
        if number % 2 == 0 {
            let answer = call(&mut fleet, D, &[Holding(1_000 + number)], Action::Identify)?;
            assert_eq!(answer, Outcome::Answered(object), "after that, the object serves");
        }
        // And back again, as a result.
        let action = Action::Hand(Holding(1_000 + number), Holding(2_000 + number));
        assert_eq!(call(&mut fleet, child, &[WAYS[1], WAYS[2]], action)?, Outcome::Done);
    }
    Ok(())
}

/// The same, and the server calls the object before it answers: that would be a circle, and is found to be one.
#[test]
fn a_server_that_calls_the_object_of_a_component_that_waits_for_it_is_told_so() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut fleet = chain()?;
    object_for(&mut fleet, 7, B, &[D])?;
    let route = [WAYS[1], WAYS[2], Holding(70)];
    assert_eq!(call(&mut fleet, D, &route[2..], Action::Identify)?, Outcome::Answered(Object(7)));
    let answer = call(&mut fleet, B, &route, Action::Identify)?;
    assert_eq!(answer, Outcome::Failed(Failure::CallCycle));
    Ok(())
}

#[test]
fn an_ended_process_and_the_one_in_its_place_are_not_the_same() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut fleet = chain()?;
    (0..3).try_for_each(|from| pass_on(&mut fleet, from))?;
    done(&mut fleet, &Op::End { process: Process(0), killed: true })?;
    // It has the same slots and names, and another object behind them.
    object_for(&mut fleet, 8, S, &[D])?;
    assert_eq!(d_calls(&mut fleet)?, Outcome::Failed(Failure::Disconnected));
    assert_eq!(call(&mut fleet, D, &[Holding(80)], Action::Identify)?, Outcome::Answered(Object(8)));
    Ok(())
}
