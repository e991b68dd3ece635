//! The benchmarks, for people, programs and plots.

use crate::args::{Bench, CallArgs, Shown};
use crate::failure::Failure;
use crate::output::{self, note};
use portcullis_bench::{Error, Options, Program, Row, call, plot, session, signal, stream, table};
use std::fs::File;
use std::path::Path;

/// The name of the component that is the other side of a benchmark.
pub(crate) const COMPONENT: &str = "bench/call";

/// Runs a benchmark.
pub(crate) fn run(bench: Bench) -> Result<(), Failure> {
    let component = Program::this_one(["component", COMPONENT]);
    match bench {
        Bench::Call(CallArgs { case, shown }) => show(&shown, |report| {
            let options = Options { filter: case, quick: shown.quick, component };
            let skipped = call::run(&options, report)?;
            skipped.iter().for_each(|skipped| note(format_args!("portcullis: {skipped}")));
            Ok(())
        }),
        Bench::Signal(CallArgs { case, shown }) => show(&shown, |report| {
            let options = Options { filter: case, quick: shown.quick, component };
            let skipped = signal::run(&options, report)?;
            skipped.iter().for_each(|skipped| note(format_args!("portcullis: {skipped}")));
            Ok(())
        }),
        Bench::Stream(CallArgs { case, shown }) => show(&shown, |report| {
            let options = Options { filter: case, quick: shown.quick, component };
            let skipped = stream::run(&options, report)?;
            skipped.iter().for_each(|skipped| note(format_args!("portcullis: {skipped}")));
            Ok(())
        }),
        Bench::Session(shown) => show(&shown, |report| {
            session::run(&session::SessionOptions { quick: shown.quick, component }, report)
        }),
    }
}

/// Shows each row as it comes, and draws them in the end.
fn show(
    shown: &Shown,
    measure: impl FnOnce(&mut dyn FnMut(&Row)) -> Result<(), Error>,
) -> Result<(), Failure> {
    let is_new = shown.plot.as_ref().is_some_and(|path| !path.exists());
    if let Some(path) = &shown.plot {
        check_writable(path)?;
    }
    let mut rows: Vec<Row> = Vec::new();
    let measured = measure(&mut |row| {
        let heading = (rows.is_empty() && !shown.json).then(table::heading);
        rows.push(row.clone());
        // Plain fields always have a JSON form.
        let line = if shown.json { serde_json::to_string(row).unwrap_or_default() } else { table::line(row) };
        let written = heading.into_iter().chain([line]).try_for_each(|line| output::result(line.as_bytes()));
        if let Err(failure) = written {
            // Nobody gets the other rows: the components end when we do.
            std::process::exit(failure.report().into());
        }
    });
    if let (Err(_), Some(path)) = (&measured, shown.plot.as_ref().filter(|_| is_new)) {
        // It is empty. If it stays, that is the lesser evil.
        let _ = std::fs::remove_file(path);
    }
    measured?;
    if let Some(path) = &shown.plot {
        plot::write(&rows, path)?;
    }
    Ok(())
}

/// Finds out before a minute of measuring whether the plot can be written after it.
fn check_writable(path: &Path) -> Result<(), Failure> {
    let opened = File::options().create(true).append(true).open(path);
    opened.map(drop).map_err(|reason| Error::Plot { path: path.into(), reason }.into())
}
