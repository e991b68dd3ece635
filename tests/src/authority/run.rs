//! The model and the processes side by side, until they diverge.

use super::fleet::{Fleet, Setting};
use super::generate::Generator;
use super::model::Model;
use super::op::{Action, Actor, Op, Outcome};
use super::shrink::shrink;
use super::simpler::simpler;
use portcullis_ipc::Error;
use std::fmt;
use std::time::Duration;

/// The processes did what the model does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// What was asked for.
    pub op: Op,
    /// What the model says.
    pub expected: String,
    /// What came.
    pub came: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: expected {}, and what came was {}", self.op, self.expected, self.came)
    }
}

/// Processes, and what is known of them.
pub struct Run {
    fleet: Fleet,
    model: Model,
}

impl Run {
    /// Starts the processes.
    ///
    /// # Errors
    /// As `Fleet::start`.
    pub fn start(setting: &Setting) -> Result<Run, Error> {
        Ok(Run { fleet: Fleet::start(setting)?, model: Model::new(setting.processes) })
    }

    /// What should be there.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Carries an operation out on both sides, and answers what came of it; `None` if there was nothing to do.
    ///
    /// # Errors
    /// The divergence, if there is one.
    pub fn step(&mut self, op: &Op) -> Result<Option<Outcome>, Divergence> {
        let diverged = |expected: String, came: String| Divergence { op: op.clone(), expected, came };
        let Some(allowed) = self.model.apply(op) else { return Ok(None) };
        let outcome = match op {
            Op::Settle => self.settle().map(|()| Outcome::Done)?,
            Op::Sweep => {
                let swept = self.fleet.sweep().map(|()| Outcome::Done);
                swept.map_err(|wrong| diverged("everything to be as at the start".into(), wrong))?
            }
            _ => self
                .fleet
                .execute(op)
                .map_err(|error| diverged("processes that serve".into(), format!("{error:?}")))?,
        };
        if !allowed.contains(&outcome) {
            return Err(diverged(format!("one of {allowed:?}"), format!("{outcome:?}")));
        }
        if matches!(outcome, Outcome::Failed(_)) {
            self.model.retract(op);
        }
        Ok(Some(outcome))
    }

    /// Everybody calls all that he holds, so that everything that was dropped is noticed; then it is counted.
    fn settle(&mut self) -> Result<(), Divergence> {
        let held: Vec<_> = self.model.holdings().collect();
        for (holding, actor) in held {
            self.step(&Op::Call { actor, route: vec![holding], action: Action::Identify })?;
        }
        self.model.actors().try_for_each(|actor| self.await_bounds(actor))
    }

    fn await_bounds(&self, actor: Actor) -> Result<(), Divergence> {
        let bounds = self.model.bounds(actor);
        let (fewest, most) = (bounds.rows.start(), bounds.rows.end());
        let report = self.fleet.await_report(
            actor,
            |now, start| {
                now.objects == start.objects + bounds.objects
                    && (start.rows + fewest..=start.rows.saturating_add(*most)).contains(&now.rows)
                    && now.channels <= start.channels + bounds.channels
            },
            |now, start| now.objects != start.objects + bounds.objects,
        );
        let expected = format!("{actor:?} to hold {bounds:?} more than at the start");
        report.map_err(|came| Divergence { op: Op::Settle, expected, came })
    }
}

/// What came of many operations, as the processes and the model agree.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// What was asked for was done.
    pub done: u64,
    /// An object answered with its number.
    pub answered: u64,
    /// A call came to nothing, as it should.
    pub failed: u64,
    /// The operation spoke of what was not there.
    pub idle: u64,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            done: self.done + other.done,
            answered: self.answered + other.answered,
            failed: self.failed + other.failed,
            idle: self.idle + other.idle,
        }
    }

    pub(super) fn count(&mut self, outcome: Option<&Outcome>) {
        *match outcome {
            Some(Outcome::Done) => &mut self.done,
            Some(Outcome::Answered(_)) => &mut self.answered,
            Some(Outcome::Failed(_)) => &mut self.failed,
            None => &mut self.idle,
        } += 1;
    }
}

/// A run that diverged, made small.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Where the operations came from.
    pub seed: u64,
    /// The place of the last one.
    pub place: u64,
    /// How the whole run diverged.
    pub divergence: Divergence,
    /// The fewest operations that diverge, on new processes, and how; as far as they still do.
    pub smallest: Option<(Vec<Op>, Divergence)>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, operation {}: {}", self.seed, self.place, self.divergence)?;
        match &self.smallest {
            None => write!(f, "the operations since the last sweep do not diverge on new processes"),
            Some((ops, divergence)) => {
                writeln!(f, "the fewest operations that diverge, {divergence}:")?;
                ops.iter().try_for_each(|op| writeln!(f, "    {op:?},"))
            }
        }
    }
}

/// So many operations out of a generator. `progress` hears of every thousandth. They end with a sweep.
///
/// # Errors
/// The divergence, made small.
///
/// # Panics
/// If the processes cannot be started.
pub fn run(
    setting: &Setting,
    mut generator: Generator,
    operations: u64,
    mut progress: impl FnMut(u64),
) -> Result<Tally, Box<Failed>> {
    let mut run = Run::start(setting).expect("the processes start");
    // Everything since the last sweep, after which both sides are as at the start.
    let mut since = Vec::new();
    let mut tally = Tally::default();
    for place in 1..=operations {
        let op = if place == operations { Op::Sweep } else { generator.next(run.model()) };
        let is_sweep = op == Op::Sweep;
        since.push(op);
        match run.step(&since[since.len() - 1]) {
            Ok(outcome) => tally.count(outcome.as_ref()),
            Err(divergence) => {
                drop(run);
                let seed = generator.seed();
                eprintln!("seed {seed}, operation {place}: {divergence}; it is made small now");
                let smallest = shrink(
                    since,
                    |ops, place| simpler(setting.processes, ops, place),
                    |ops| replay(setting, ops),
                );
                return Err(Box::new(Failed { seed, place, divergence, smallest }));
            }
        }
        if is_sweep {
            since.clear();
        }
        if place % 1_000 == 0 {
            progress(place);
        }
    }
    Ok(tally)
}

/// Whether these operations diverge on new processes.
///
/// # Panics
/// If the processes cannot be started.
#[must_use]
pub fn replay(setting: &Setting, ops: &[Op]) -> Option<Divergence> {
    let mut run = Run::start(setting).expect("the processes start");
    // They are run many times, and nearly always wait in vain.
    run.fleet.patience = Duration::from_millis(500);
    ops.iter().find_map(|op| run.step(op).err())
}
