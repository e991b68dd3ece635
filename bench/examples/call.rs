//! The benchmark of calls without the command around it: `call [FILTER] [--quick] [--json] [--plot FILE.svg]`.

use portcullis_bench::{Error, Program, Row, call, component, plot, table};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "component") {
        return component::main();
    }
    match measure(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> Result<(), Error> {
    let mut arguments = arguments.iter();
    let mut options = call::CallOptions::new(Program::this_one(["component"]));
    let (mut json, mut picture) = (false, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--json" => json = true,
            "--plot" => picture = arguments.next(),
            filter => options.filter = Some(filter.into()),
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    if !json {
        print(&table::heading());
    }
    let skipped = call::run(&options, &mut |row| {
        print(&if json { serde_json::to_string(row).unwrap_or_default() } else { table::line(row) });
        rows.push(row.clone());
    })?;
    skipped.iter().for_each(|skipped| eprintln!("{skipped}"));
    picture.map_or(Ok(()), |path| plot::write(&rows, Path::new(path)))
}

fn print(line: &str) {
    // Whoever closed the output does not want to see more of it.
    let _ = writeln!(std::io::stdout(), "{line}");
}
