//! What this kernel allows a sandbox.

use crate::args::DoctorArgs;
use crate::failure::Failure;
use crate::output::{self, note};
use portcullis_component::sandbox::{Layer, Support};
use serde::Serialize;
use std::process::ExitCode;

/// The result for programs.
#[derive(Serialize)]
struct Report<'a> {
    /// Whether a strict sandbox is possible.
    strict: bool,
    /// The version of Landlock; null if there is none.
    landlock: Option<i64>,
    /// What bounds the memory of a component: `memory-group` or `address-space`.
    memory_limit: &'static str,
    layers: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    layer: &'static str,
    purpose: &'static str,
    there: bool,
    /// Whether a strict sandbox needs it.
    needed: bool,
    /// Why it is missing, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

/// Lists the layers. The code is 0 if a strict sandbox is possible.
pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let report = report(Support::of_this_system().map_err(Failure::Untried)?);
    if args.json {
        // Plain fields always have a JSON form.
        output::result(&serde_json::to_vec(&report).unwrap_or_default())?;
    } else {
        output::result(format!("{:<16} {:<4} {}", "layer", "is", "keeps a component from").as_bytes())?;
        report.layers.iter().try_for_each(|row| output::result(line(row).as_bytes()))?;
        output::result(limit(&report).as_bytes())?;
        output::result(verdict(&report).as_bytes())?;
    }
    for row in report.layers.iter().filter(|row| !row.there) {
        let (reason, remedy) = (row.reason.unwrap_or_default(), row.remedy.unwrap_or_default());
        note(format_args!("portcullis: no {}: {reason}; {remedy}", row.layer));
    }
    Ok(if report.strict { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(support: &Support) -> Report<'_> {
    let row = |layer: Layer| {
        let lack = support.lacks().iter().find(|lack| lack.layer == layer);
        Row {
            layer: layer.name(),
            purpose: layer.purpose(),
            there: lack.is_none(),
            needed: layer.needed(),
            reason: lack.map(|lack| lack.reason.as_str()),
            remedy: lack.map(|lack| lack.layer.remedy()),
        }
    };
    let memory_limit = if support.has(Layer::MemoryGroup) { "memory-group" } else { "address-space" };
    Report {
        strict: support.strict(),
        landlock: support.landlock(),
        memory_limit,
        layers: Layer::ALL.into_iter().map(row).collect(),
    }
}

fn line(row: &Row<'_>) -> String {
    let state = match (row.there, row.needed) {
        (true, _) => "yes",
        (false, true) => "NO",
        (false, false) => "no",
    };
    format!("{:<16} {state:<4} {}", row.layer, row.purpose)
}

fn limit(report: &Report<'_>) -> String {
    let holds = match report.memory_limit {
        "memory-group" => "a memory group for all memory of a component",
        _ => "address space, file size and number of descriptors, each by itself",
    };
    format!("{:<16} {holds}", "memory limit")
}

fn verdict(report: &Report<'_>) -> String {
    let possible = if report.strict { "possible" } else { "not possible: what is marked NO is missing" };
    format!("{:<16} {possible}", "strict sandbox")
}
