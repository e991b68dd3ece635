//! The bulk demo: starts a sink and a source, introduces them to each other, and reports.

use super::input::Input;
use super::process::Process;
use super::transfer::{Transfer, bar};
use crate::args::{BulkArgs, Via};
use crate::failure::Failure;
use crate::output::{self, note};
use portcullis_examples::bulk::{Receiver, Report, SINK, SOURCE, Sink, Source};
use portcullis_ipc::Pd;
use portcullis_rpc::Capability;
use serde::Serialize;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

/// Transfers the input by one way or by each, and writes its checksum.
pub(crate) fn run(args: &BulkArgs, json: bool) -> Result<(), Failure> {
    let ways = if args.via == Via::All { &Via::WAYS[..] } else { &[args.via] };
    let mut first: Option<Report> = None;
    // A file, too: whoever reads it as standard input goes on where the last one stopped.
    let is_standard_input = args.file.as_deref().is_some_and(|file| file == "-");
    for via in ways {
        let input = Input::open(args.file.clone())?;
        if args.via == Via::All && (is_standard_input || input.length().is_none()) {
            return Err(Failure::ReadOnce(input.name().display().to_string()));
        }
        let name = input.name().to_owned();
        let report = transfer(input, *via)?;
        if let Some(first) = &first
            && first.summary != report.summary
        {
            return Err(Failure::Demo(format!("'{}' has changed between two ways", name.display())));
        }
        if json {
            output::result(Json::line(&name, *via, &report).as_bytes())?;
        } else if first.is_none() {
            output::result(&checksum_line(&name, &report))?;
        }
        let (way, megabytes) = (via.name(), report.bytes_per_second() / 1e6);
        note(format_args!(
            "{way:>6}: {} bytes in {:.1?}, {megabytes:.1} MB per second",
            report.summary.bytes, report.time
        ));
        first = Some(report);
    }
    Ok(())
}

/// Starts the components, hands the source its receiver, and waits for the end.
fn transfer(input: Input, via: Via) -> Result<Report, Failure> {
    let bar = bar(input.length());
    let pd = Pd::new().map_err(|error| Failure::Start { name: "demo", error })?;
    let name = input.name().display().to_string();
    let stdin = input.into_stdio().map_err(|error| Failure::Input { name, error })?;
    let (receiver, sink) = Process::start(&pd, "sink", SINK, Stdio::null())?;
    let (sender, source) = Process::start(&pd, "source", SOURCE, stdin)?;
    let mut transfer = Transfer { receiver, sender };

    let (sink, source): (Capability<dyn Sink>, Capability<dyn Source>) = (sink, source);
    let (mut sink, mut source) = (sink.client(), source.client());
    let receiver: Capability<dyn Receiver> = match via {
        Via::Rpc => {
            let receiver = transfer.of_receiver(sink.by_calls())?;
            transfer.of_sender(source.by_calls(receiver.clone()))?;
            receiver.upcast()
        }
        Via::Buffer => {
            let (receiver, buffer) = transfer.of_receiver(sink.by_buffer())?;
            transfer.of_sender(source.by_buffer(receiver.clone(), buffer))?;
            receiver.upcast()
        }
        Via::Stream | Via::All => {
            let (receiver, dataspace) = transfer.of_receiver(sink.by_stream())?;
            transfer.of_sender(source.by_stream(receiver.clone(), dataspace))?;
            receiver
        }
    };
    let mut receiver = receiver.client();
    let report = transfer.follow(&bar, |time| source.wait(time).get(), || receiver.received(), |_| {});
    bar.finish_and_clear();
    report
}

/// The checksum as GNU `sha256sum` prints it.
fn checksum_line(name: &OsStr, report: &Report) -> Vec<u8> {
    let name = name.as_bytes();
    let escaped = name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    let mut line = if escaped { b"\\".to_vec() } else { Vec::new() };
    line.extend_from_slice(format!("{}  ", report.summary).as_bytes());
    for byte in name {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            byte => line.push(*byte),
        }
    }
    line
}

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    demo: &'a str,
    input: &'a str,
    via: &'a str,
    bytes: u64,
    sha256: String,
    seconds: f64,
    bytes_per_second: f64,
}

impl Json<'_> {
    fn line(name: &OsStr, via: Via, report: &Report) -> String {
        let json = Json {
            demo: "bulk",
            input: &name.to_string_lossy(),
            via: via.name(),
            bytes: report.summary.bytes,
            sha256: report.summary.to_string(),
            seconds: report.time.as_secs_f64(),
            bytes_per_second: report.bytes_per_second(),
        };
        // Plain fields and finite numbers always have a JSON form.
        serde_json::to_string(&json).unwrap_or_default()
    }
}
