//! The benchmark of sessions: objects that are opened, delegated and dropped, one after the other, ten thousand times.
//!
//! | case | what | floor |
//! |---|---|---|
//! | `open-delegate-drop` | a server makes an object for a client, the client passes the capability on to a third process in a call, and both drop it, which ends the object | `scm-rights` |
//! | `held-at-once` | the same, and both keep all of them until the last is there, and drop them then; the third process calls each once | `scm-rights`, as many as one process may hold |
//!
//! The floor `scm-rights` is the same with descriptors, by hand, over sockets that the three processes have to each
//! other: a process makes a descriptor (an event counter, the cheapest there is) and sends it to the second, which sends
//! it to the third by SCM_RIGHTS, and all close it. Each step but the last is answered, as a call is.
//!
//! Ours and the floor run in the same three processes, in blocks of as many sessions that alternate, and are measured
//! as those of the [benchmark of calls](crate::call). All that is recorded are the ten thousand; a pair of blocks before
//! them is a warm-up.
//!
//! What was opened must be gone afterwards: [`descriptors_before`](Row::descriptors_before) and
//! [`descriptors_after`](Row::descriptors_after) are those of the three processes together,
//! [`rows_before`](Row::rows_before) and [`rows_after`](Row::rows_after) those in their capability tables. A drop is
//! noticed a little later, so the second count waits until both are what they were, for a few seconds at most.

mod held;

use crate::alternation::{Block, Plan, Side, alternate, warm_up};
use crate::component::interface::{Component, Factory, Guest, Holdings};
use crate::error::Error;
use crate::floor::{Part, pass_on};
use crate::meter;
use crate::process::{Process, Program, SharedMemory};
use crate::progress::Progress;
use crate::report::row::Row;
use portcullis_ipc::Doorbell;
use portcullis_rpc::Client;
use std::time::{Duration, Instant};

/// How thoroughly it is measured.
///
/// ```
/// use portcullis_bench::{Program, session::SessionOptions};
///
/// let options = SessionOptions { quick: true, component: Program::this_one(["component", "bench"]) };
/// assert!(options.quick, "a thousand sessions instead of ten thousand");
/// ```
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// A thousand sessions instead of ten thousand.
    pub quick: bool,
    /// What to start as the other processes.
    pub component: Program,
}

const CASE: &str = "open-delegate-drop";
const HELD: &str = "held-at-once";

/// How long what was dropped may take until it is gone.
const SETTLE: Duration = Duration::from_secs(5);

/// Measures, and hands the rows over.
///
/// Blocks for some seconds. Progress is shown on the standard error if that is a terminal.
///
/// # Errors
/// [`Error::Call`], [`Error::Stalled`] or [`Error::System`] if a component cannot be started or fails.
pub fn run(options: &SessionOptions, report: &mut dyn FnMut(&Row)) -> Result<(), Error> {
    let mut progress = Progress::start(2);
    let shared = SharedMemory::new()?;
    let server = Process::start(&options.component, &shared, Doorbell::default())?;
    let other = Process::start(&options.component, &shared, Doorbell::default())?;
    let processes = [&server, &other];

    let plan = if options.quick { plan(10, 100) } else { plan(50, 200) };
    let (factory, guest) = (server.objects.factory.client(), other.objects.guest.client());
    let mut ours = Sessions { factory, guest };
    let mut floor = Descriptors { maker: &server, taker: &other };
    report(&measure(CASE, plan, processes, &mut ours, &mut floor, &mut progress)?);

    let most = if options.quick { 1_000 } else { 10_000 };
    let mut ours = held::Sessions::new(processes);
    let mut floor = held::Descriptors::new(processes, most)?;
    let row = measure(HELD, self::plan(3, most), processes, &mut ours, &mut floor, &mut progress)?;
    report(&Row {
        held: Some(most),
        floor_held: Some(floor.most()),
        descriptors_held: Some(ours.descriptors_held()),
        ..row
    });
    progress.clear();
    Ok(())
}

fn plan(pairs: u32, each: u64) -> Plan {
    Plan { pairs, block: Block::Operations(each) }
}

/// A case, and whether all is as it was after it.
fn measure(
    case: &str,
    plan: Plan,
    processes: [&Process; 2],
    ours: &mut impl Side,
    floor: &mut impl Side,
    progress: &mut Progress,
) -> Result<Row, Error> {
    progress.begin(case);
    let each = if let Block::Operations(each) = plan.block { each } else { 0 };
    let sessions = u64::from(plan.pairs) * each;
    let at_first = holdings(&processes)?;
    warm_up(plan, &processes, ours, floor)?;
    // The warm-up leaves no object. What it leaves else, such as a thread's descriptors, is there for good.
    let before = settled(&processes, |now| now.objects == at_first.objects)?;
    let comparison = alternate(plan, &processes, ours, floor, &mut |pairs| {
        progress.go_on(&format!("{case}, {} of {sessions} sessions", u64::from(pairs) * each));
    })?;
    let after = settled(&processes, |now| now == before)?;
    Ok(Row {
        sessions: Some(sessions),
        descriptors_before: Some(before.descriptors),
        descriptors_after: Some(after.descriptors),
        rows_before: Some(before.rows),
        rows_after: Some(after.rows),
        ..comparison.row("session", case.into(), "scm-rights")
    })
}

/// What this process and the others hold together, once it is as wanted, or when it should have been for long.
fn settled(others: &[&Process], wanted: impl Fn(Holdings) -> bool) -> Result<Holdings, Error> {
    let start = Instant::now();
    loop {
        let now = holdings(others)?;
        if wanted(now) || start.elapsed() > SETTLE {
            return Ok(now);
        }
    }
}

/// What this process and the others hold together.
fn holdings(others: &[&Process]) -> Result<Holdings, Error> {
    let own = Holdings { descriptors: meter::descriptors()?, ..Holdings::default() };
    others.iter().try_fold(own, |sum, other| {
        let more = other.component().holdings()?;
        Ok(Holdings {
            descriptors: sum.descriptors + more.descriptors,
            rows: sum.rows + more.rows,
            objects: sum.objects + more.objects,
        })
    })
}

/// Objects that are opened, delegated and dropped.
struct Sessions {
    factory: Client<dyn Factory>,
    guest: Client<dyn Guest>,
}

impl Side for Sessions {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        let object = self.factory.session()?;
        Ok(self.guest.take(object)?)
    }
}

/// Descriptors that are made, passed on and closed.
struct Descriptors<'a> {
    maker: &'a Process,
    taker: &'a Process,
}

impl Side for Descriptors<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        self.maker.play(Part::Maker)?;
        self.taker.play(Part::Taker)
    }

    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        pass_on(&self.maker.link, &self.taker.link).map(drop)
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.maker.link.stop()?;
        self.taker.link.stop()
    }
}
