//! The word count demo: starts a counter, a client and a log, introduces them to each other, and reports.

use super::input::Input;
use super::log::LogProcess;
use super::process::{self, Process};
use crate::failure::Failure;
use crate::output::{self, note};
use indicatif::{ProgressBar, ProgressStyle};
use portcullis_examples::wordcount::{
    CLIENT, COUNTER, Counter, Counting, Failure as CallFailure, Progress, Report, StreamFailure, Streamer,
    WordRule,
};
use portcullis_ipc::Pd;
use portcullis_rpc::{Capability, Error};
use serde::Serialize;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::time::Duration;

/// Between two looks at how far the client is: on a terminal, and when nobody watches.
const LOOK: Duration = Duration::from_millis(100);
const LOOK_UNWATCHED: Duration = Duration::from_secs(1);

/// Counts the input and writes the result.
pub(crate) fn run(input: Input, json: bool) -> Result<(), Failure> {
    let (name, length) = (input.name().to_owned(), input.length());
    let (report, log) = count(input)?;
    let calls_per_second = report.calls as f64 / report.time.as_secs_f64().max(1e-9);
    if json {
        output::result(Json::line(&name, &report, calls_per_second).as_bytes())?;
    } else {
        output::result(&wc_line(&name, &report, length))?;
    }
    log.conclude();
    let Report { calls, time, .. } = report;
    note(format_args!("{calls} calls in {time:.1?}: {calls_per_second:.0} calls per second"));
    Ok(())
}

/// Starts the components, hands the client its counting object and the right to write to the log, and waits for the end.
fn count(input: Input) -> Result<(Report, LogProcess), Failure> {
    let bar = bar(input.length());
    let pd = Pd::new().map_err(|error| Failure::Start { name: "demo", error })?;
    let name = input.name().display().to_string();
    let stdin = input.into_stdio().map_err(|error| Failure::Input { name, error })?;
    let (counter_process, counter) = Process::start(&pd, "counter", COUNTER, Stdio::null())?;
    let (client_process, client) = Process::start(&pd, "client", CLIENT, stdin)?;
    let (mut log, writer) = LogProcess::start(&pd)?;
    let mut parties = Parties { counter: counter_process, client: client_process };

    let counter: Capability<dyn Counter> = counter;
    let object = parties.of_counter(counter.client().open(word_rule()))?;
    let client: Capability<dyn Streamer> = client;
    let mut client = client.client();
    parties.of_client(client.stream(object.clone(), writer))?;
    let mut object = object.client();
    let result = follow(&mut parties, &mut client, &mut object, &mut log, &bar);
    bar.finish_and_clear();
    let report = result?;
    parties.of_counter(object.close())?;
    Ok((report, log))
}

/// Watches the client until it is done, and the counter with it: both must answer within the default deadline.
fn follow(
    parties: &mut Parties,
    client: &mut impl Streamer,
    object: &mut impl Counting,
    log: &mut LogProcess,
    bar: &ProgressBar,
) -> Result<Report, Failure> {
    let look = if bar.is_hidden() { LOOK_UNWATCHED } else { LOOK };
    loop {
        match parties.of_client(twice(|| client.wait(look).get()))? {
            Progress::Running => {
                bar.set_position(parties.of_counter(twice(|| object.counts()))?.bytes);
                if !bar.is_hidden()
                    && let Some(line) = log.last()
                {
                    bar.set_message(format!("log: {line}"));
                }
            }
            Progress::Done(report) => return Ok(report),
            Progress::Failed(failure) => return Err(parties.stream_failed(&failure)),
        }
    }
}

/// Calls once more after a deadline: the whole demo may have been suspended (Ctrl-Z) and resumed.
fn twice<T>(mut call: impl FnMut() -> Result<T, CallFailure>) -> Result<T, CallFailure> {
    match call() {
        Err(CallFailure::Call(Error::DeadlineExceeded)) => call(),
        result => result,
    }
}

/// The processes that a call may find dead or silent.
struct Parties {
    counter: Process,
    client: Process,
}

impl Parties {
    fn of_counter<T>(&mut self, result: Result<T, CallFailure>) -> Result<T, Failure> {
        result.map_err(|failure| match failure {
            CallFailure::Call(Error::DeadlineExceeded) => self.counter.silent(),
            failure => self.failed(&failure),
        })
    }

    fn of_client<T>(&mut self, result: Result<T, CallFailure>) -> Result<T, Failure> {
        result.map_err(|failure| match failure {
            CallFailure::Call(Error::DeadlineExceeded) => self.client.silent(),
            failure => self.failed(&failure),
        })
    }

    /// What a failure of the client comes from.
    fn stream_failed(&mut self, failure: &StreamFailure) -> Failure {
        match failure {
            StreamFailure::Input(_) => process::worded(failure),
            _ => self.failed(failure),
        }
    }

    /// A process that died explains any failure.
    fn failed(&mut self, failure: &dyn std::error::Error) -> Failure {
        process::blame([&mut self.counter, &mut self.client]).unwrap_or_else(|| process::worded(failure))
    }
}

/// A bar on standard error, if that is a terminal.
fn bar(length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => {
            (ProgressBar::new(length), "{bar:14} {bytes} of {total_bytes}, {bytes_per_sec}  {wide_msg}")
        }
        None => (ProgressBar::no_length(), "{spinner} {bytes}, {bytes_per_sec}  {wide_msg}"),
    };
    // The templates are constant and valid; a bar with another style would do as well.
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What `wc` takes for a word here, by the locale (locale(7)).
fn word_rule() -> WordRule {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") { WordRule::Utf8 } else { WordRule::Ascii }
}

/// The result as GNU `wc` prints it: as wide as the size of a regular file, or 7.
fn wc_line(name: &OsStr, report: &Report, length: Option<u64>) -> Vec<u8> {
    let width = length.map_or(7, |length| length.to_string().len());
    let counts = &report.counts;
    let mut line =
        format!("{:width$} {:width$} {:width$} ", counts.lines, counts.words, counts.bytes).into_bytes();
    line.extend_from_slice(name.as_bytes());
    line
}

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    demo: &'a str,
    input: &'a str,
    lines: u64,
    words: u64,
    bytes: u64,
    calls: u64,
    seconds: f64,
    calls_per_second: f64,
}

impl Json<'_> {
    fn line(name: &OsStr, report: &Report, calls_per_second: f64) -> String {
        let counts = report.counts;
        let json = Json {
            demo: "wordcount",
            input: &name.to_string_lossy(),
            lines: counts.lines,
            words: counts.words,
            bytes: counts.bytes,
            calls: report.calls,
            seconds: report.time.as_secs_f64(),
            calls_per_second,
        };
        // Plain fields and finite numbers always have a JSON form.
        serde_json::to_string(&json).unwrap_or_default()
    }
}
