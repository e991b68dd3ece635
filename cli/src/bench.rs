//! The benchmarks, for people, programs and plots.

use crate::args::{Bench, CallArgs};
use crate::failure::Failure;
use crate::output::{self, note};
use portcullis_bench::{Error, Program, Row, call, plot, table};
use std::fs::File;
use std::path::Path;

/// The name of the component that is the other side of the benchmark of calls.
pub(crate) const CALL: &str = "bench/call";

/// Runs a benchmark.
pub(crate) fn run(bench: Bench) -> Result<(), Failure> {
    let Bench::Call(args) = bench;
    calls(args)
}

fn calls(args: CallArgs) -> Result<(), Failure> {
    if let Some(path) = &args.plot {
        check_writable(path)?;
    }
    let component = Program::this_one(["component", CALL]);
    let options = call::CallOptions { filter: args.case, quick: args.quick, component };
    let mut rows: Vec<Row> = Vec::new();
    let skipped = call::run(&options, &mut |row| {
        let heading = (rows.is_empty() && !args.json).then(table::heading);
        rows.push(row.clone());
        // Plain fields always have a JSON form.
        let line = if args.json { serde_json::to_string(row).unwrap_or_default() } else { table::line(row) };
        let written = heading.into_iter().chain([line]).try_for_each(|line| output::result(line.as_bytes()));
        if let Err(failure) = written {
            // Nobody gets the other rows: the components end when we do.
            std::process::exit(failure.report().into());
        }
    })?;
    skipped.iter().for_each(|skipped| note(format_args!("portcullis: {skipped}")));
    if let Some(path) = &args.plot {
        plot::write(&rows, path)?;
    }
    Ok(())
}

/// Finds out before a minute of measuring whether the plot can be written after it.
fn check_writable(path: &Path) -> Result<(), Failure> {
    let opened = File::options().create(true).append(true).open(path);
    opened.map(drop).map_err(|reason| Error::Plot { path: path.into(), reason }.into())
}
