//! The cases.

use super::Row;
use super::clients;
use super::objects;
use super::pair::{self, Placement};
use super::strangers;
use crate::alternation::{Block, Comparison, Plan, rounded};
use crate::cores::Cores;
use crate::error::Error;
use crate::floor::Waiting;
use crate::meter::Length;
use crate::options::Options;
use portcullis_ipc::Doorbell;
use std::fmt;
use std::time::Duration;

/// The sizes of the payloads, in bytes.
const SIZES: [usize; 3] = [0, 64, 1000];

/// One case of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// Calls back to back.
    Echo { name: &'static str, placement: Placement, doorbell: Doorbell, floor: Waiting, bytes: usize },
    /// Typed calls beside untyped ones.
    Layer(usize),
    /// A new object's capability in each reply.
    NewObject,
    /// A capability passed on to another client, who calls through it once.
    ThirdParty,
    /// A call within which the server calls an object of its client.
    Callback,
    /// Random ones of a million objects.
    Objects,
    /// One of a million objects.
    ObjectOfMany,
    /// So many client processes.
    Clients(usize),
}

/// A case that this machine cannot measure.
///
/// ```no_run
/// # fn main() -> Result<(), portcullis_bench::Error> {
/// use portcullis_bench::{Options, Program, call};
///
/// let options = Options::new(Program::this_one(["component", "bench-call"]));
/// for skipped in call::run(&options, &mut |_row| ())? {
///     eprintln!("{skipped}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The case.
    pub case: String,
    /// Why, and what would help.
    pub reason: &'static str,
}

impl Skipped {
    pub(crate) fn for_want_of_cores(case: impl Into<String>) -> Skipped {
        let reason = "it takes two cores and this process may use only one: allow it more (taskset, cpuset, the machine)";
        Skipped { case: case.into(), reason }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was skipped: {}", self.case, self.reason)
    }
}

impl Case {
    pub(crate) fn all() -> Vec<Case> {
        use Doorbell::{Pipe, Socket};
        let kinds = [
            ("both-awake", Placement::TwoCores, Socket, Waiting::Spin),
            ("same-core", Placement::OneCore, Pipe, Waiting::Futex),
            ("same-core-socket", Placement::OneCore, Socket, Waiting::Futex),
            ("unpinned", Placement::Anywhere, Socket, Waiting::Spin),
        ];
        let echoes = kinds.into_iter().flat_map(|(name, placement, doorbell, floor)| {
            SIZES.map(|bytes| Case::Echo { name, placement, doorbell, floor, bytes })
        });
        let layers = SIZES.map(Case::Layer);
        let others = [Case::NewObject, Case::ThirdParty, Case::Callback, Case::Objects, Case::ObjectOfMany];
        echoes.chain(layers).chain(others).chain([1, 8, 64].map(Case::Clients)).collect()
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Case::Echo { name, bytes, .. } => format!("{name}/{bytes}"),
            Case::Layer(bytes) => format!("layer/{bytes}"),
            Case::NewObject => "new-object".into(),
            Case::ThirdParty => "delegate-third-party".into(),
            Case::Callback => "callback".into(),
            Case::Objects => format!("objects/{}", objects::MANY),
            Case::ObjectOfMany => format!("object-of-{}", objects::MANY),
            Case::Clients(count) => format!("clients/{count}"),
        }
    }

    /// Whether it cannot be measured on these cores.
    pub(crate) fn obstacle(&self, cores: &Cores) -> Option<Skipped> {
        let one_core_will_do =
            matches!(self, Case::Clients(_) | Case::Echo { placement: Placement::OneCore, .. });
        let is_short = cores.first_two().1.is_none() && !one_core_will_do;
        is_short.then(|| Skipped::for_want_of_cores(self.name()))
    }

    /// Measures it.
    pub(crate) fn run(&self, options: &Options, cores: &Cores) -> Result<Row, Error> {
        let program = &options.component;
        let plan = Plan {
            pairs: if options.quick { 6 } else { 50 },
            block: Block::Time(Length {
                whole: Duration::from_millis(10),
                unrecorded: Duration::from_micros(500),
            }),
        };
        let row = |floor, comparison: &Comparison| comparison.row("call", self.name(), floor);
        match *self {
            Case::Echo { placement, doorbell, floor, bytes, .. } => {
                let comparison = pair::echo(program, cores, plan, placement, doorbell, floor, bytes)?;
                Ok(row(floor.name(), &comparison))
            }
            Case::Layer(bytes) => Ok(row("untyped", &pair::layer(program, cores, plan, bytes)?)),
            Case::NewObject => Ok(row("call", &pair::new_object(program, cores, plan)?)),
            Case::ThirdParty => Ok(row("scm-rights", &strangers::third_party(program, plan)?)),
            Case::Callback => Ok(row("two-calls", &strangers::callback(program, plan)?)),
            Case::Objects => Ok(row("objects/10", &objects::random(program, cores, plan)?)),
            Case::ObjectOfMany => Ok(row("objects/10", &objects::one(program, cores, plan)?)),
            Case::Clients(count) => {
                let (rounds, turn) = if options.quick { (1, 10) } else { (3, 30) };
                let crowd = clients::measure(program, count, rounds, Duration::from_millis(turn))?;
                Ok(Row {
                    calls_per_second: Some(crowd.calls_per_second),
                    slowest_to_mean: Some(rounded(crowd.slowest_to_mean)),
                    ..row("one-client", &crowd.comparison)
                })
            }
        }
    }
}
