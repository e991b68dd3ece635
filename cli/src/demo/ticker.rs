//! The ticker demo: a clock signals its watchers that it has ticked, and they fetch its state by calls.

use super::process::{self, Process, explain};
use crate::args::TickerArgs;
use crate::failure::Failure;
use crate::output;
use indicatif::{ProgressBar, ProgressStyle};
use portcullis_examples::ticker::{CLOCK, Clock, Seen, WATCHER, Watcher, Works};
use portcullis_ipc::{Deadline, Pd};
use portcullis_rpc::{Capability, Client};
use serde::Serialize;
use std::fmt::{self, Display};
use std::process::Stdio;
use std::time::Duration;

/// What a watcher takes at most to see the last state when it is not busy, on a machine with much else to do.
const NOTICE: Duration = Duration::from_secs(5);

/// Has the clock tick to its end, and writes what its watchers saw.
pub(crate) fn run(args: &TickerArgs, json: bool) -> Result<(), Failure> {
    let every = Duration::from_millis(args.every);
    let pd = Pd::new().map_err(|error| Failure::Start { name: "demo", error })?;
    let (mut clock_process, works): (_, Capability<dyn Works>) =
        Process::start(&pd, "clock", CLOCK, Stdio::null())?;
    let mut watchers = Vec::new();
    for number in 1..=args.watchers {
        // The first is never busy, the others each for two ticks and a half longer.
        let busy = every * (number - 1) * 5 / 2;
        watchers.push(Party::start(&pd, number, busy, &works, &mut clock_process)?);
    }
    let mut clock = works.client();
    clock.start(args.ticks, every).map_err(|failure| explain(&failure, [&mut clock_process]))?;
    let bar = bar(args.ticks);
    loop {
        let ticks = clock.ticks().map_err(|failure| explain(&failure, [&mut clock_process]))?;
        bar.set_position(ticks.into());
        // Nobody waits for a watcher, so nobody else would notice.
        if let Some(failure) = watchers.iter_mut().find_map(|watcher| watcher.process.died()) {
            return Err(failure);
        }
        if ticks == args.ticks {
            break;
        }
        std::thread::sleep(Duration::from_millis(20).min(every));
    }
    bar.finish_and_clear();
    let watchers = watchers.into_iter().map(|watcher| watcher.settled(args.ticks));
    let report = Report { demo: "ticker", ticks: args.ticks, watchers: watchers.collect::<Result<_, _>>()? };
    if json {
        // Plain fields and finite numbers always have a JSON form.
        output::result(serde_json::to_string(&report).unwrap_or_default().as_bytes())
    } else {
        output::result(report.to_string().as_bytes())
    }
}

/// A watcher: its process, and its first object.
struct Party {
    number: u32,
    busy: Duration,
    process: Process,
    watcher: Client<dyn Watcher>,
}

impl Party {
    /// Starts it, and has it watch the clock.
    fn start(
        pd: &Pd,
        number: u32,
        busy: Duration,
        clock: &Capability<dyn Works>,
        clock_process: &mut Process,
    ) -> Result<Party, Failure> {
        let (mut process, watcher): (_, Capability<dyn Watcher>) =
            Process::start(pd, "watcher", WATCHER, Stdio::null())?;
        // It answers between two looks at the clock, each of which keeps it busy.
        let mut watcher = watcher.client().with_deadline(Deadline::After(NOTICE + busy * 2));
        let watches = watcher.watch(clock.clone().upcast(), busy);
        watches.map_err(|failure| explain(&failure, [&mut process, clock_process]))?;
        Ok(Party { number, busy, process, watcher })
    }

    /// What it has seen, once it has seen the last state.
    fn settled(mut self, ticks: u32) -> Result<Row, Failure> {
        let seen = process::wait_for(NOTICE + self.busy * 2, || match self.watcher.seen() {
            Ok(seen) => (seen.ticks == ticks).then_some(Ok(seen)),
            Err(failure) => Some(Err(failure)),
        });
        let Party { number, busy, mut process, .. } = self;
        let Some(seen) = seen else {
            return Err(Failure::Demo(format!("watcher {number} has not seen the last state of the clock")));
        };
        let Seen { ticks, runs } = seen.map_err(|failure| explain(&failure, [&mut process]))?;
        Ok(Row {
            watcher: number,
            process: process.id(),
            busy_ms: busy.as_secs_f64() * 1e3,
            runs,
            last: ticks,
        })
    }
}

/// A bar on standard error, if that is a terminal.
fn bar(ticks: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:14} {pos} of {len} ticks");
    ProgressBar::new(ticks.into()).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What became of everything.
#[derive(Serialize)]
struct Report {
    demo: &'static str,
    ticks: u32,
    watchers: Vec<Row>,
}

/// What a watcher saw.
#[derive(Serialize)]
struct Row {
    watcher: u32,
    process: u32,
    busy_ms: f64,
    runs: u32,
    last: u32,
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "watcher  process  busy each time  signals  handler ran  last state")?;
        for Row { watcher, process, busy_ms, runs, last } in &self.watchers {
            // One for each tick, and one when it began to watch.
            let signals = u64::from(self.ticks) + 1;
            writeln!(f, "{watcher:>7} {process:>8} {busy_ms:>12.1} ms {signals:>8} {runs:>12} {last:>11}")?;
        }
        f.write_str("The clock waited for nobody; each watcher has seen the last state.")
    }
}
