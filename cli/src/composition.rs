//! Composition files: checked, and drawn.

use crate::args::{CheckArgs, FileArgs, GraphArgs};
use crate::failure::Failure;
use crate::output::{self, note};
use portcullis_init::{Composition, Given, Graph, Name, Problem, Severity, limits};
use rustix::fs::{Mode, OFlags};
use serde::Serialize;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Says all that is wrong with a file, or what it composes.
pub(crate) fn check(args: &CheckArgs) -> Result<(), Failure> {
    let given = Given { ram: args.ram, caps: args.caps, services: None };
    let checked = read(&args.file).and_then(|(name, text)| {
        let composition = Composition::parse_within(&text, &given);
        let composition = composition.map_err(|problems| Failure::composition(&name, problems))?;
        if !args.without_binaries {
            let found = composition.check_binaries(directory(&name));
            found.map_err(|problems| Failure::composition(&name, problems))?;
        }
        Ok((name, composition))
    });
    match &checked {
        Ok((name, composition)) => {
            warn(name, composition);
            if args.json {
                return report(&Report::of(name, composition));
            }
            output::result(summary(name, composition).as_bytes())
        }
        Err(failure) => {
            if args.json {
                report_failure(&args.file.file.display().to_string(), failure)?;
            }
            checked.map(drop)
        }
    }
}

/// Writes the graph of a file as SVG or DOT.
pub(crate) fn graph(args: &GraphArgs) -> Result<(), Failure> {
    let (name, text) = read(&args.file)?;
    let composition = Composition::parse(text).map_err(|problems| Failure::composition(&name, problems))?;
    warn(&name, &composition);
    let graph = Graph::of(&composition);
    let drawn = if args.dot { graph.dot() } else { graph.svg() };
    match &args.output {
        None => output::result(drawn.trim_end().as_bytes()),
        Some(path) => {
            let written = std::fs::write(path, drawn);
            written.map_err(|error| Failure::Graph { name: path.display().to_string(), error })
        }
    }
}

/// A file's name and content. No more of it is read than a composition may have, and a byte.
pub(crate) fn read(args: &FileArgs) -> Result<(String, Vec<u8>), Failure> {
    let name = args.file.display().to_string();
    let text = match name.as_str() {
        "-" => text(std::io::stdin().lock()),
        _ => File::open(&args.file).and_then(text),
    };
    named(name, text)
}

/// The same of a file that was read before. Waits for nobody: of standard input, or what is no regular file, there may be nothing, or
/// nothing yet.
pub(crate) fn read_again(args: &FileArgs) -> Result<(String, Vec<u8>), Failure> {
    let name = args.file.display().to_string();
    // So a pipe is opened though nobody writes there.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match name.as_str() {
        "-" => return Err(Failure::ReadAgain(name)),
        _ => rustix::fs::open(&args.file, flags, Mode::empty()).map(File::from),
    };
    let is_other = |file: &File| file.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir());
    if file.as_ref().is_ok_and(is_other) {
        return Err(Failure::ReadAgain(name));
    }
    named(name, file.map_err(Into::into).and_then(text))
}

fn text(file: impl Read) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(limits::MOST_BYTES as u64 + 1).read_to_end(&mut text).map(|_| text)
}

fn named(name: String, text: std::io::Result<Vec<u8>>) -> Result<(String, Vec<u8>), Failure> {
    match text {
        Ok(text) => Ok((name, text)),
        Err(error) if error.kind() == ErrorKind::IsADirectory => Err(Failure::Directory(name)),
        Err(error) => Err(Failure::Input { name, error }),
    }
}

/// Where the paths of a file begin. Whoever reads a composition from standard input is there himself.
pub(crate) fn directory(file: &str) -> &Path {
    Path::new(file).parent().filter(|_| file != "-").unwrap_or(Path::new(""))
}

pub(crate) fn warn(file: &str, composition: &Composition) {
    warnings(file, composition).for_each(|warning| note(format_args!("{warning}")));
}

/// What is allowed and probably not meant, a line each.
pub(crate) fn warnings(file: &str, composition: &Composition) -> impl Iterator<Item = String> {
    composition.warnings().iter().map(move |warning| format!("{file}:{warning}"))
}

/// A number and what is counted, in the plural where it is to be.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn summary(file: &str, composition: &Composition) -> String {
    format!(
        "{file}: {}, {}, {} RAM, {} caps",
        counted(composition.components().len(), "component"),
        counted(composition.routes().len(), "route"),
        portcullis_init::written(composition.ram()),
        composition.caps().count()
    )
}

/// What `--json` writes.
#[derive(Serialize)]
struct Report<'a> {
    file: &'a str,
    ok: bool,
    components: usize,
    routes: usize,
    ram: u64,
    caps: u64,
    problems: Vec<ProblemReport<'a>>,
    more_problems: usize,
}

#[derive(Serialize)]
struct ProblemReport<'a> {
    severity: String,
    line: usize,
    column: usize,
    within: Vec<&'a str>,
    key: &'a str,
    found: &'a str,
    expected: &'a str,
    hint: Option<&'a str>,
}

impl<'a> Report<'a> {
    fn of(file: &'a str, composition: &'a Composition) -> Report<'a> {
        Report {
            file,
            ok: true,
            components: composition.components().len(),
            routes: composition.routes().len(),
            ram: composition.ram().in_bytes(),
            caps: composition.caps().count(),
            problems: composition.warnings().iter().map(ProblemReport::of).collect(),
            more_problems: 0,
        }
    }

    fn of_problems(file: &'a str, problems: Vec<ProblemReport<'a>>, more_problems: usize) -> Report<'a> {
        Report { file, ok: false, components: 0, routes: 0, ram: 0, caps: 0, problems, more_problems }
    }
}

impl<'a> ProblemReport<'a> {
    fn of(problem: &'a Problem) -> ProblemReport<'a> {
        ProblemReport {
            severity: problem.severity.to_string(),
            line: problem.place.line,
            column: problem.place.column,
            within: problem.within.iter().map(Name::as_str).collect(),
            key: &problem.key,
            found: &problem.found,
            expected: &problem.expected,
            hint: problem.hint.as_deref(),
        }
    }
}

/// What is wrong with a file, or why it was not read: then there is no place in it.
fn report_failure(file: &str, failure: &Failure) -> Result<(), Failure> {
    if let Failure::Composition { problems, .. } = failure {
        let list = problems.list().iter().map(ProblemReport::of).collect();
        return report(&Report::of_problems(file, list, problems.more()));
    }
    let found = failure.to_string();
    let problem = ProblemReport {
        severity: Severity::Error.to_string(),
        line: 0,
        column: 0,
        within: Vec::new(),
        key: "",
        found: &found,
        expected: "a file that can be read",
        hint: None,
    };
    report(&Report::of_problems(file, vec![problem], 0))
}

fn report(report: &Report<'_>) -> Result<(), Failure> {
    // Plain fields always have a JSON form.
    output::result(serde_json::to_string(report).unwrap_or_default().as_bytes())
}
