//! Several runs at once through the same actors, less strictly compared.
//!
//! Each run has objects and holdings of its own, and so a model of its own. But the actors are the same: two of them
//! may call each other at once, for two runs, which is a call cycle; three may, which only the deadline ends. So any
//! call may come to nothing. What may not happen: that somebody answers who should not, and that something stays.

use super::fleet::{Fleet, Setting};
use super::generate::{Generator, Weights};
use super::model::Model;
use super::op::{Action, Actor, Failure, Holding, Op, Outcome};
use super::run::{Divergence, Tally};

/// So many runs at once, each of so many operations, from a seed; then a sweep.
///
/// # Errors
/// The first divergence of one of the runs, or what was not given back.
///
/// # Panics
/// If the processes cannot be started.
pub fn run(setting: &Setting, seed: u64, runs: u64, operations: u64) -> Result<Tally, String> {
    let fleet = Fleet::start(setting).expect("the processes start");
    let tallies = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=runs)
            .map(|run| {
                let (fleet, processes) = (&fleet, setting.processes);
                scope.spawn(move || one(fleet, processes, seed.wrapping_add(run), run << 40, operations))
            })
            .collect();
        let results = threads.into_iter().map(|thread| thread.join().expect("no run panics"));
        results.collect::<Result<Vec<Tally>, Divergence>>()
    });
    let tallies = tallies.map_err(|divergence| divergence.to_string())?;
    fleet.sweep()?;
    Ok(tallies.into_iter().fold(Tally::default(), Tally::and))
}

fn one(
    fleet: &Fleet,
    processes: usize,
    seed: u64,
    number: u64,
    operations: u64,
) -> Result<Tally, Divergence> {
    // What concerns everybody is for nobody alone; and an object that may be dissolved or not would say nothing.
    let weights = Weights { dissolve: 0, end_process: 0, settle: 0, sweep: 0, ..Weights::default() };
    let mut generator = Generator::new(seed, weights, number);
    let mut model = Model::new(processes);
    let mut tally = Tally::default();
    for _ in 0..operations {
        let op = generator.next(&model);
        let taker = taker(&op, &model);
        let Some(allowed) = model.apply(&op) else { continue };
        let outcome = fleet.order(&op);
        if !allowed.contains(&outcome) && !may_always_happen(&op, &outcome) {
            let (expected, came) = (format!("one of {allowed:?}"), format!("{outcome:?}"));
            return Err(Divergence { op, expected, came });
        }
        if matches!(outcome, Outcome::Failed(_)) {
            model.retract(&op);
            // It may have been given all the same, and only the answer did not come.
            for (actor, holding) in taker {
                let _ = fleet.order(&Op::Drop { actor, holding });
            }
        }
        tally.count(Some(&outcome));
    }
    Ok(tally)
}

/// Who is given something, if all goes well.
fn taker(op: &Op, model: &Model) -> Vec<(Actor, Holding)> {
    match op {
        Op::Call { actor, action: Action::Hand(_, holding), .. } => vec![(*actor, *holding)],
        Op::Call { route, action: Action::Take(taken), .. } => {
            let last = route.last().and_then(|last| model.behind(*last));
            last.into_iter()
                .flat_map(|(owner, _)| taken.iter().map(move |(_, holding)| (owner, *holding)))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn may_always_happen(op: &Op, outcome: &Outcome) -> bool {
    let others = [Failure::CallCycle, Failure::DeadlineExceeded, Failure::Busy];
    matches!((op, outcome), (Op::Call { .. }, Outcome::Failed(failure)) if others.contains(failure))
}
