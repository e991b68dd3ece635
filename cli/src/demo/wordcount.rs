//! The word count demo: starts a counter, a client and a log, introduces them to each other, and reports.

use super::input::Input;
use super::log::LogProcess;
use super::process::Process;
use super::transfer::{Transfer, bar};
use crate::failure::Failure;
use crate::output::{self, note};
use portcullis_examples::wordcount::{CLIENT, COUNTER, Counter, Counting, Report, Streamer, WordRule};
use portcullis_ipc::Pd;
use portcullis_rpc::Capability;
use serde::Serialize;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

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
    let (receiver, counter) = Process::start(&pd, "counter", COUNTER, Stdio::null())?;
    let (sender, client) = Process::start(&pd, "client", CLIENT, stdin)?;
    let (mut log, writer) = LogProcess::start(&pd)?;
    let mut transfer = Transfer { receiver, sender };

    let counter: Capability<dyn Counter> = counter;
    let object = transfer.of_receiver(counter.client().open(word_rule()))?;
    let client: Capability<dyn Streamer> = client;
    let mut client = client.client();
    transfer.of_sender(client.stream(object.clone(), writer))?;
    let mut object = object.client();
    let result = transfer.follow(
        &bar,
        |time| client.wait(time).get(),
        || object.counts().map(|counts| counts.bytes),
        |bar| {
            if !bar.is_hidden()
                && let Some(line) = log.last()
            {
                bar.set_message(format!("log: {line}"));
            }
        },
    );
    bar.finish_and_clear();
    let report = result?;
    transfer.of_receiver(object.close())?;
    Ok((report, log))
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
