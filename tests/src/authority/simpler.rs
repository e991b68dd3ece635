//! What may stand for an operation in a list that is made small.

use super::model::Model;
use super::op::{Action, Holding, Op};

/// Operations that may stand for the one at that place: a call that goes less far, and for whatever is held after it,
/// that it came straight from where it was made.
#[must_use]
pub fn simpler(processes: usize, ops: &[Op], place: usize) -> Vec<Op> {
    let mut model = Model::new(processes);
    for op in &ops[..place] {
        model.apply(op);
    }
    let op = &ops[place];
    let mut candidates = Vec::new();
    if let Op::Call { route: stops, action, .. } = op
        && let [_, .., last] = stops[..]
        && let Some((actor, _)) = model.holder(last)
    {
        candidates.push(Op::Call { actor, route: vec![last], action: action.clone() });
    }
    model.apply(op);
    candidates.extend(gains(op).into_iter().filter_map(|holding| straight(&model, ops, holding)));
    candidates.retain(|candidate| candidate != op);
    candidates
}

/// What is held after the operation that was not before.
fn gains(op: &Op) -> Vec<Holding> {
    match op {
        Op::Copy { to, .. } => vec![*to],
        Op::Carry { holding, .. } | Op::Call { action: Action::Hand(_, holding), .. } => vec![*holding],
        Op::Call { action: Action::Take(taken), .. } => taken.iter().map(|(_, holding)| *holding).collect(),
        _ => Vec::new(),
    }
}

fn straight(model: &Model, ops: &[Op], gained: Holding) -> Option<Op> {
    let (to, wanted) = model.holder(gained)?;
    ops.iter().find_map(|op| match op {
        Op::Create { actor, object, holding } if *object == wanted => {
            Some(Op::Carry { from: *actor, what: *holding, to, holding: gained })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::op::{Actor, Object};

    #[test]
    fn a_long_way_is_made_short() {
        let create = Op::Create { actor: Actor(0), object: Object(1), holding: Holding(1) };
        let carry = |from, what, to, holding| Op::Carry {
            from: Actor(from),
            what: Holding(what),
            to: Actor(to),
            holding: Holding(holding),
        };
        let ops = [create, carry(0, 1, 2, 2), carry(2, 2, 4, 3)];
        assert_eq!(simpler(3, &ops, 2), [carry(0, 1, 4, 3)]);
        assert_eq!(simpler(3, &ops, 1), []);
    }
}
