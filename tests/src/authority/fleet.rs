//! The processes, each with several actors, and the operations carried out by them.

use super::actor::Fault;
use super::op::{ACTORS, Action, Actor, Holding, Object, Op, Outcome, Process};
use super::orders::{Method, Report, ask, report};
use crate::host::patient;
use portcullis_ipc::{Capability, Child, Error, MsgBuf, Pd, WaitPolicy};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Numbers from here on are not for operations.
const OURS: u64 = 1 << 62;

/// What processes there are.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The binary `actor` of this package.
    pub program: PathBuf,
    /// How many processes.
    pub processes: usize,
    /// What they do wrong.
    pub fault: Fault,
    /// How long an actor waits for an answer, in whole milliseconds.
    pub deadline: Duration,
}

impl Setting {
    /// Six patient processes that do nothing wrong.
    #[must_use]
    pub fn new(program: impl AsRef<Path>) -> Setting {
        Setting {
            program: program.as_ref().to_owned(),
            processes: 6,
            fault: Fault::None,
            deadline: Duration::from_secs(20),
        }
    }
}

/// Processes with actors, all started by us.
pub struct Fleet {
    pd: Pd,
    setting: Setting,
    processes: Vec<Running>,
    /// How long it may take until what was dropped is gone.
    pub patience: Duration,
}

struct Running {
    /// The first objects of the actors there, and what they held when nothing had been asked of them.
    actors: Vec<(Capability, Report)>,
    child: Child,
}

impl Fleet {
    /// Starts the processes.
    ///
    /// # Errors
    /// As `Pd::spawn` and `Capability::call`.
    pub fn start(setting: &Setting) -> Result<Fleet, Error> {
        let mut fleet = Fleet {
            pd: patient(WaitPolicy::Adaptive)?,
            setting: setting.clone(),
            processes: Vec::new(),
            patience: Duration::from_secs(10),
        };
        for _ in 0..setting.processes {
            let running = fleet.spawn()?;
            fleet.processes.push(running);
        }
        (0..setting.processes).try_for_each(|process| fleet.warm_up(Process(process)))?;
        Ok(fleet)
    }

    /// Carries an operation out. Of what it speaks must be there. `Settle` and `Sweep` are not for it.
    ///
    /// # Errors
    /// If a process cannot be started or does not serve.
    pub fn execute(&mut self, op: &Op) -> Result<Outcome, Error> {
        match op {
            Op::End { process, killed } => self.replace(*process, *killed).map(|()| Outcome::Done),
            _ => Ok(self.order(op)),
        }
    }

    /// Carries out what needs no new process, from any thread.
    #[must_use]
    pub fn order(&self, op: &Op) -> Outcome {
        let mut receive = MsgBuf::new();
        match op {
            Op::Create { actor, object, holding } => self.ask(*actor, Method::Create, &[object.0, holding.0]),
            Op::Copy { actor, from, to } => self.ask(*actor, Method::Copy, &[from.0, to.0]),
            Op::Drop { actor, holding } => self.ask(*actor, Method::Drop, &[holding.0]),
            Op::Dissolve { actor, object } => self.ask(*actor, Method::End, &[object.0]),
            Op::Call { actor, route, action } => self.ask(*actor, Method::Call, &itinerary(route, action)),
            Op::Carry { from, what, to, holding } if from.process() == to.process() => {
                match self.ask(*from, Method::Lay, &[what.0, holding.0]) {
                    Outcome::Done => self.ask(*to, Method::Lift, &[holding.0]),
                    failed => failed,
                }
            }
            Op::Carry { from, what, to, holding } => {
                match ask(self.first(*from), Method::Hand, &[what.0], None, &mut receive) {
                    Outcome::Done => {
                        let carried = receive.take(0);
                        ask(self.first(*to), Method::Take, &[holding.0], carried, &mut MsgBuf::new())
                    }
                    failed => failed,
                }
            }
            Op::End { .. } | Op::Settle | Op::Sweep => Outcome::Done,
        }
    }

    /// Everybody.
    pub fn actors(&self) -> impl Iterator<Item = Actor> + use<> {
        (0..self.processes.len()).map(Process).flat_map(Process::actors)
    }

    /// Has everybody drop all and dissolve all. Then everything must be as it was at the start.
    ///
    /// # Errors
    /// Who holds what beyond that.
    pub fn sweep(&self) -> Result<(), String> {
        // Whoever answers this does nothing else any more, if nobody gives him anything to do.
        for actor in self.actors() {
            report(self.first(actor)).map_err(|error| format!("{actor:?} does not serve: {error:?}"))?;
        }
        for actor in self.actors() {
            match self.ask(actor, Method::Clear, &[]) {
                Outcome::Done => {}
                other => return Err(format!("{actor:?} does not clear up: {other:?}")),
            }
        }
        for actor in self.actors() {
            self.await_report(
                actor,
                |now, start| {
                    (now.objects, now.rows, now.channels) == (start.objects, start.rows, start.channels)
                        && now.descriptors <= start.descriptors
                },
                |now, start| now.objects != start.objects,
            )?;
        }
        Ok(())
    }

    /// Waits until an actor's report is as it should be, beside what it was at the start.
    ///
    /// # Errors
    /// Both, if it is wrong after all that time, or in a way that no waiting mends.
    pub fn await_report(
        &self,
        actor: Actor,
        right: impl Fn(&Report, &Report) -> bool,
        is_wrong: impl Fn(&Report, &Report) -> bool,
    ) -> Result<(), String> {
        let (first, start) = &self.processes[actor.process().0].actors[actor.0 % ACTORS];
        let end = Instant::now() + self.patience;
        loop {
            let now = report(first).map_err(|error| format!("{actor:?} does not serve: {error:?}"))?;
            if right(&now, start) {
                return Ok(());
            }
            if Instant::now() >= end || is_wrong(&now, start) {
                return Err(format!("{actor:?} holds {now:?}, and held {start:?} at the start"));
            }
            // It takes back what was dropped before it sleeps: so let it.
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// What an actor holds, as it says.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn report(&self, actor: Actor) -> Result<Report, Error> {
        report(self.first(actor))
    }

    /// Has an actor give a capability to whoever is behind another one, so many times. The taker calls it or does not,
    /// and drops it.
    #[must_use]
    pub fn lend(&self, actor: Actor, to: Holding, what: Holding, called: bool, times: u64) -> Outcome {
        let method = if called { Method::Try } else { Method::Identify };
        self.ask(actor, Method::Repeat, &[times, to.0, 0, 1, what.0, method as u64])
    }

    fn ask(&self, actor: Actor, method: Method, words: &[u64]) -> Outcome {
        ask(self.first(actor), method, words, None, &mut MsgBuf::new())
    }

    fn first(&self, actor: Actor) -> &Capability {
        &self.processes[actor.process().0].actors[actor.0 % ACTORS].0
    }

    fn spawn(&self) -> Result<Running, Error> {
        let mut command = Command::new(&self.setting.program);
        command.args([self.setting.fault.name(), &self.setting.deadline.as_millis().to_string()]);
        let (child, first) = self.pd.spawn(command)?;
        let mut actors = vec![first];
        for _ in 1..ACTORS {
            let mut receive = MsgBuf::new();
            ask(&actors[0], Method::Next, &[], None, &mut receive);
            actors.push(receive.take(0).ok_or(Error::Abandoned)?);
        }
        let actors = actors.into_iter().map(|first| report(&first).map(|report| (first, report)));
        Ok(Running { actors: actors.collect::<Result<_, _>>()?, child })
    }

    fn replace(&mut self, process: Process, killed: bool) -> Result<(), Error> {
        let started = self.spawn()?;
        let Running { actors, mut child } = std::mem::replace(&mut self.processes[process.0], started);
        if killed {
            child.kill()?;
        } else {
            // Without anybody to serve it ends by itself.
            drop(actors);
            child.wait()?;
        }
        self.warm_up(process)
    }

    /// Has a new process do everything once, so that it has what it keeps from then on, and notes what that is.
    ///
    /// # Panics
    /// If anything of that fails.
    fn warm_up(&mut self, process: Process) -> Result<(), Error> {
        let neighbour = Process((process.0 + 1) % self.processes.len());
        let everybody: Vec<Actor> = process.actors().chain(neighbour.actors()).collect();
        let order = |op| {
            let outcome = self.order(&op);
            assert!(!matches!(outcome, Outcome::Failed(_)), "{op:?}: {outcome:?}");
        };
        let (object, own, holding) = (Object(OURS), Holding(OURS), Holding(OURS + 1));
        for &actor in &everybody {
            order(Op::Create { actor, object, holding: own });
            for &other in everybody.iter().filter(|other| **other != actor) {
                order(Op::Carry { from: actor, what: own, to: other, holding });
                order(Op::Call { actor: other, route: vec![holding], action: Action::Identify });
                order(Op::Drop { actor: other, holding });
            }
            order(Op::Drop { actor, holding: own });
            order(Op::Dissolve { actor, object });
        }
        for actor in process.actors() {
            let first = self.first(actor).clone();
            // We hold a row of it; it has a channel to us, and one to those of its own process.
            let end = Instant::now() + self.patience;
            while report(&first).map(|now| (now.rows, now.channels))? != (1, 2) {
                if Instant::now() >= end {
                    return Err(Error::DeadlineExceeded);
                }
                std::thread::sleep(Duration::from_micros(200));
            }
            let mut baseline = report(&first)?;
            // What was dropped last may not be closed yet.
            for _ in 0..20 {
                baseline.descriptors = baseline.descriptors.min(report(&first)?.descriptors);
            }
            self.processes[process.0].actors[actor.0 % ACTORS].1 = baseline;
        }
        Ok(())
    }
}

/// The words of an order to call along a route.
fn itinerary(route: &[Holding], action: &Action) -> Vec<u64> {
    let (mut keep, mut with) = (0, Vec::new());
    let mut words = match action {
        Action::Identify => vec![Method::Identify as u64],
        Action::Dissolve => vec![Method::Dissolve as u64],
        Action::Take(taken) => {
            with = taken.iter().map(|(what, _)| what.0).collect();
            std::iter::once(Method::Take as u64).chain(taken.iter().map(|(_, holding)| holding.0)).collect()
        }
        Action::Hand(what, holding) => {
            keep = holding.0;
            vec![Method::Hand as u64, what.0]
        }
    };
    let (first, others) = route.split_first().map_or((0, route), |(first, others)| (first.0, others));
    for stop in others.iter().rev() {
        words.splice(0..0, [Method::Call as u64, stop.0, 0, 0]);
    }
    let head = [first, keep, with.len() as u64];
    head.into_iter().chain(with).chain(words).collect()
}
