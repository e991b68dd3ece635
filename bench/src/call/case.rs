//! The cases.

use super::clients;
use super::objects;
use super::pair::{self, Placement};
use super::strangers;
use super::{CallOptions, Row};
use crate::alternation::{Block, Comparison, Plan, rounded};
use crate::cores::Cores;
use crate::error::Error;
use crate::floor::Waiting;
use crate::meter::Length;
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
/// use portcullis_bench::{Program, call};
///
/// let options = call::CallOptions::new(Program::this_one(["component", "bench-call"]));
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
    fn all() -> Vec<Case> {
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

    /// The cases that have the filter in their names; all without one.
    pub(crate) fn matching(filter: Option<&str>) -> Result<Vec<Case>, Error> {
        let all = Case::all();
        let Some(filter) = filter else { return Ok(all) };
        let (found, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|case| case.name().contains(filter));
        if found.is_empty() {
            let cases = others.iter().map(Case::name).collect();
            return Err(Error::NoSuchCase { filter: filter.into(), cases });
        }
        Ok(found)
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
    pub(crate) fn run(&self, options: &CallOptions, cores: &Cores) -> Result<Row, Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_finds_cases_and_a_wrong_one_says_what_there_is() {
        let names =
            |filter| Case::matching(filter).map(|found| found.iter().map(Case::name).collect::<Vec<_>>());
        assert_eq!(names(None).unwrap().len(), 23);
        assert_eq!(names(Some("both")).unwrap(), ["both-awake/0", "both-awake/64", "both-awake/1000"]);
        assert_eq!(names(Some("1000000")).unwrap(), ["objects/1000000", "object-of-1000000"]);
        let error = names(Some("nothing")).unwrap_err().to_string();
        assert!(error.contains("`nothing`") && error.contains("clients/64"), "{error}");
    }
}
