use super::*;
use crate::authority::op::Process;

const DISCONNECTED: Outcome = Outcome::Failed(Failure::Disconnected);
const INVALID: Outcome = Outcome::Failed(Failure::InvalidCapability);
const CYCLE: Outcome = Outcome::Failed(Failure::CallCycle);

/// Actors 0 and 1 are in one process, 2 and 3 in the next, and so on.
fn create(model: &mut Model, actor: usize, number: u64) {
    let op = Op::Create { actor: Actor(actor), object: Object(number), holding: Holding(number) };
    assert_eq!(model.apply(&op), done());
}

fn carry(model: &mut Model, from: usize, what: u64, to: usize, holding: u64) {
    let (from, to) = (Actor(from), Actor(to));
    let op = Op::Carry { from, what: Holding(what), to, holding: Holding(holding) };
    assert_eq!(model.apply(&op), done());
}

fn call(model: &mut Model, actor: usize, route: &[u64], action: Action) -> Option<Vec<Outcome>> {
    let route = route.iter().copied().map(Holding).collect();
    model.apply(&Op::Call { actor: Actor(actor), route, action })
}

fn identify(model: &mut Model, actor: usize, route: &[u64]) -> Option<Vec<Outcome>> {
    call(model, actor, route, Action::Identify)
}

#[test]
fn who_holds_it_may_call_it_and_nobody_else() {
    let mut model = Model::new(3);
    create(&mut model, 0, 1);
    carry(&mut model, 0, 1, 2, 10);
    assert_eq!(identify(&mut model, 2, &[10]), Some(vec![Outcome::Answered(Object(1))]));
    assert_eq!(identify(&mut model, 4, &[10]), None, "another's holding is nothing to him");
    assert_eq!(model.apply(&Op::Drop { actor: Actor(4), holding: Holding(10) }), None);
    assert_eq!(model.apply(&Op::Drop { actor: Actor(2), holding: Holding(10) }), done());
    assert_eq!(identify(&mut model, 2, &[10]), None);
}

#[test]
fn a_dissolved_object_is_dead_for_all_and_an_ended_process_is_too() {
    let mut model = Model::new(3);
    create(&mut model, 0, 1);
    create(&mut model, 0, 2);
    carry(&mut model, 0, 1, 2, 10);
    carry(&mut model, 0, 2, 2, 20);
    assert_eq!(model.apply(&Op::Dissolve { actor: Actor(2), object: Object(1) }), None, "not his");
    assert_eq!(model.apply(&Op::Dissolve { actor: Actor(0), object: Object(1) }), done());
    assert_eq!(identify(&mut model, 2, &[10]), Some(vec![INVALID, DISCONNECTED]));
    assert_eq!(model.apply(&Op::End { process: Process(0), killed: true }), done());
    assert_eq!(identify(&mut model, 2, &[10]), Some(vec![DISCONNECTED]));
    assert_eq!(identify(&mut model, 2, &[20]), Some(vec![DISCONNECTED]));
    assert_eq!(identify(&mut model, 0, &[1]), None, "what it held went with it");
}

#[test]
fn calls_go_from_one_to_the_next_and_end_where_they_would_come_back() {
    let mut model = Model::new(3);
    create(&mut model, 0, 1);
    create(&mut model, 2, 2);
    create(&mut model, 4, 3);
    carry(&mut model, 2, 2, 0, 20);
    carry(&mut model, 4, 3, 2, 30);
    carry(&mut model, 0, 1, 4, 10);
    assert_eq!(identify(&mut model, 0, &[20, 30]), Some(vec![Outcome::Answered(Object(3))]));
    assert_eq!(
        identify(&mut model, 0, &[20, 30, 10]),
        Some(vec![CYCLE]),
        "though nobody has called it before"
    );
    assert_eq!(identify(&mut model, 0, &[1]), Some(vec![CYCLE]), "its own object");
}

#[test]
fn what_is_given_is_held_and_counts_until_it_is_dropped() {
    let mut model = Model::new(3);
    create(&mut model, 0, 1);
    create(&mut model, 2, 2);
    assert_eq!(model.bounds(Actor(0)), Bounds { objects: 1, rows: 0..=0, channels: 0 });
    carry(&mut model, 2, 2, 0, 20);
    let take = Action::Take(vec![(Holding(1), Holding(10)), (Holding(1), Holding(11))]);
    assert_eq!(call(&mut model, 0, &[20], take), done());
    assert_eq!(model.bounds(Actor(0)), Bounds { objects: 1, rows: 1..=2, channels: 2 });
    assert_eq!(call(&mut model, 0, &[20], Action::Hand(Holding(10), Holding(12))), done());
    let bounds = Bounds { objects: 1, rows: 1..=2, channels: 2 };
    assert_eq!(model.bounds(Actor(0)), bounds, "its own that has come home takes nothing");
    carry(&mut model, 0, 12, 1, 14);
    let copy = Op::Copy { actor: Actor(2), from: Holding(11), to: Holding(13) };
    assert_eq!((model.apply(&copy), model.bounds(Actor(0))), (done(), bounds), "copies are one gift");
    for (actor, holding) in [(0, 12), (1, 14)] {
        assert_eq!(model.apply(&Op::Drop { actor: Actor(actor), holding: Holding(holding) }), done());
    }
    for (actor, holding) in [(2, 10), (2, 11), (2, 13)] {
        assert_eq!(model.apply(&Op::Drop { actor: Actor(actor), holding: Holding(holding) }), done());
    }
    assert_eq!(model.bounds(Actor(0)), Bounds { objects: 1, rows: 0..=0, channels: 0 });
}

#[test]
fn a_dissolved_object_may_be_refused_as_an_argument_of_its_own_entrypoint() {
    let mut model = Model::new(3);
    create(&mut model, 0, 1);
    create(&mut model, 0, 2);
    carry(&mut model, 0, 1, 2, 10);
    carry(&mut model, 0, 2, 2, 20);
    assert_eq!(call(&mut model, 2, &[10], Action::Dissolve), Some(vec![Outcome::Answered(Object(1))]));
    let take = Action::Take(vec![(Holding(10), Holding(11))]);
    let op = Op::Call { actor: Actor(2), route: vec![Holding(20)], action: take };
    assert_eq!(model.apply(&op), Some(vec![Outcome::Done, INVALID]));
    assert!(model.holdings().any(|held| held == (Holding(11), Actor(0))));
    model.retract(&op);
    assert!(!model.holdings().any(|(holding, _)| holding == Holding(11)));
}
