//! What happens in the tour, as it is told: by the components, and by whoever starts them.

use super::arena::{Arena, worded};
use super::judge::{Finding, Judge};
use crate::demo::process::visible;
use crate::output::note;
use portcullis_entrypoint::EntrypointHandle;
use portcullis_examples::tour::{Event, Targets};
use portcullis_init::Event as Change;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most of what a component says that is shown.
const SHOWN: usize = 200;

/// Clones are the same story.
#[derive(Clone)]
pub(super) struct Story(Arc<Shared>);

struct Shared {
    plot: Mutex<Plot>,
    arena: Arena,
    /// Looks whether the story is complete when it is stopped.
    entrypoint: EntrypointHandle,
}

struct Plot {
    judge: Judge,
    /// The process of each component, as it was started last.
    processes: BTreeMap<String, u32>,
    has_killed: bool,
}

impl Story {
    pub(super) fn new(judge: Judge, arena: Arena, entrypoint: EntrypointHandle) -> Story {
        let plot = Mutex::new(Plot { judge, processes: BTreeMap::new(), has_killed: false });
        Story(Arc::new(Shared { plot, arena, entrypoint }))
    }

    fn plot(&self) -> MutexGuard<'_, Plot> {
        self.0.plot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has happened to a component.
    pub(super) fn changed(&self, change: &Change) {
        note(format_args!("  {change}"));
        let mut plot = self.plot();
        match change {
            Change::Started { name, process } => {
                plot.judge.started(name.as_str());
                plot.processes.insert(name.to_string(), *process);
            }
            Change::Ended { .. } => plot.judge.ended(),
            _ => {}
        }
    }

    /// A component tells something.
    pub(super) fn told(&self, event: &Event) {
        self.show(event);
        let mut plot = self.plot();
        plot.judge.told(event);
        if plot.judge.wants_a_victim() && !plot.has_killed {
            plot.has_killed = true;
            plot.kill("scribe");
        }
        drop(plot);
        self.0.entrypoint.stop();
    }

    /// What the intruder may attack.
    pub(super) fn targets(&self) -> Targets {
        let counter = self.plot().processes.get("counter").copied();
        self.0.arena.targets(counter)
    }

    fn show(&self, event: &Event) {
        let shown = |said: &str| visible(said.chars().take(SHOWN));
        match event {
            Event::Worded { words, .. } => note(format_args!("  watcher: {}", shown(words))),
            Event::Lost => note(format_args!("  watcher: my scribe is gone, I ask for another one")),
            Event::Found => note(format_args!("  watcher: I have a session of a scribe again")),
            Event::Tried { attempt, outcome } => {
                let counter = self.plot().processes.get("counter").copied();
                let how = match (outcome, self.0.arena.outside(*attempt, counter)) {
                    (Ok(got), _) => format!("GOT {}", shown(got)),
                    (Err(refused), None) => format!("refused: {}", shown(refused)),
                    (Err(refused), Some(got)) => {
                        format!("refused: {}; outside of a sandbox: {got}", shown(refused))
                    }
                };
                note(format_args!("  intruder tries to {}: {how}", worded(*attempt)));
            }
        }
    }

    /// Whether there is nothing more to see.
    pub(super) fn is_complete(&self) -> bool {
        self.plot().judge.is_complete()
    }

    /// What held, and what did not.
    pub(super) fn findings(&self) -> Vec<Finding> {
        self.plot().judge.findings()
    }
}

impl Plot {
    fn kill(&self, component: &str) {
        let process = self.processes.get(component).and_then(|process| i32::try_from(*process).ok());
        if let Some(process) = process.and_then(Pid::from_raw) {
            note(format_args!("  {component}: is killed now"));
            // If it has ended by itself meanwhile, the tour fails by that.
            let _ = kill_process(process, Signal::KILL);
        }
    }
}
