//! The benchmark of calls, as the command runs it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, portcullis, run, text};
use rustix::process::{Signal, kill_process};
use std::ffi::OsStr;
use std::process::Output;

const CASE: &str = "same-core/64";

fn assert_fails(output: &Output, code: i32, part: &str) {
    let errors = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), String::new()), "{errors}");
    assert!(errors.contains(part), "{part:?} is missing in: {errors}");
}

#[test]
fn a_case_is_a_line_of_json_or_of_a_table_and_a_bar_of_the_plot() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["bench", "call", CASE, "--quick", "--json", "--plot", "calls.svg"];
    let output = run(portcullis(arguments).current_dir(directory.path()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let row: serde_json::Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!((row["bench"].as_str(), row["case"].as_str()), (Some("call"), Some(CASE)));
    assert!(row["ours_p50_ns"].as_u64().unwrap() > 0);
    let plot = std::fs::read_to_string(directory.path().join("calls.svg")).unwrap();
    assert!(plot.contains("<svg") && plot.contains(CASE));

    let output = run(&mut portcullis(["bench", "call", CASE, "--quick"]));
    let table = text(&output.stdout);
    let first_words: Vec<_> = table.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(first_words, ["case", CASE]);
}

#[test]
fn sessions_are_lines_of_json_or_of_a_table_and_bars_of_the_plot() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["bench", "session", "--quick", "--json", "--plot", "sessions.svg"];
    let output = run(portcullis(arguments).current_dir(directory.path()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [row, held] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((row["bench"].as_str(), row["sessions"].as_u64()), (Some("session"), Some(1000)));
    assert_eq!((held["case"].as_str(), held["held"].as_u64()), (Some("held-at-once"), Some(1000)));
    assert_eq!(row["descriptors_before"], row["descriptors_after"]);
    assert_eq!(row["rows_before"], row["rows_after"]);
    let plot = std::fs::read_to_string(directory.path().join("sessions.svg")).unwrap();
    assert!(plot.contains("<svg") && plot.contains("open-delegate-drop"));

    let output = run(&mut portcullis(["bench", "session", "--quick"]));
    let table = text(&output.stdout);
    let first_words: Vec<_> = table.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(first_words, ["case", "open-delegate-drop", "held-at-once"]);
    assert_eq!(text(&output.stderr), "", "progress is for terminals");
}

#[test]
fn signals_are_lines_of_json_and_bars_of_the_plot() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["bench", "signal", "submit", "--quick", "--json", "--plot", "signals.svg"];
    let output = run(portcullis(arguments).current_dir(directory.path()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let cases: Vec<_> = rows.iter().map(|row| (row["bench"].as_str(), row["case"].as_str())).collect();
    let expected = ["submit-pending", "submit-to-handler"].map(|case| (Some("signal"), Some(case)));
    assert_eq!(cases, expected);
    let plot = std::fs::read_to_string(directory.path().join("signals.svg")).unwrap();
    assert!(plot.contains("<svg") && expected.iter().all(|case| plot.contains(case.1.unwrap())));
}

#[test]
fn streams_are_lines_of_json_and_bars_of_the_plot() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["bench", "stream", "trusted/4096", "--quick", "--json", "--plot", "streams.svg"];
    let output = run(portcullis(arguments).current_dir(directory.path()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let row: serde_json::Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!((row["bench"].as_str(), row["case"].as_str()), (Some("stream"), Some("trusted/4096")));
    for rate in ["ours_per_s", "floor_per_s", "ours_gb_s", "ratio", "read_gb_s"] {
        assert!(row[rate].as_f64().unwrap() > 0.0, "{rate} in {row}");
    }
    assert_eq!(row["budget"].as_f64(), Some(0.95));
    let plot = std::fs::read_to_string(directory.path().join("streams.svg")).unwrap();
    assert!(plot.contains("<svg") && plot.contains("trusted/4096") && plot.contains("in packets/s"));

    let output = run(&mut portcullis(["bench", "stream", "header/64", "--quick"]));
    let table = text(&output.stdout);
    let first_words: Vec<_> = table.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(first_words, ["case", "header/64"]);
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_measured() {
    assert_fails(&run(&mut portcullis(["bench", "call", "no-such-case"])), 2, "both-awake/0");
    assert_fails(
        &run(&mut portcullis(["bench", "call", "--plot", "/proc/none/x.svg"])),
        1,
        "a folder that exists",
    );
    assert_fails(
        &run(&mut portcullis(["bench", "session", "--plot", "/proc/none/x.svg"])),
        1,
        "a folder that exists",
    );
    let directory = tempfile::tempdir().unwrap();
    let plot = directory.path().join("plot.svg");
    let none = ["bench", "call", "no-such-case", "--plot"].map(OsStr::new);
    assert_fails(&run(&mut portcullis(none.into_iter().chain([plot.as_os_str()]))), 2, "both-awake/0");
    assert!(!plot.exists(), "nothing was measured, and nothing is left");
    assert_fails(&run(&mut portcullis(["bench", "session", "a-case"])), 2, "unexpected argument");
    assert_fails(&run(&mut portcullis(["bench"])), 2, "Usage: portcullis bench");
}

#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = run(portcullis(["bench", "call", CASE, "--quick"]).stdout(writer));
    assert_fails(&output, 141, "");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn the_other_side_ends_with_the_command() {
    for benchmark in [
        &["bench", "call", CASE][..],
        &["bench", "call", "third-party"],
        &["bench", "session"],
        &["bench", "signal"],
        &["bench", "stream"],
    ] {
        let running = Running::start(&mut portcullis(benchmark));
        running.component("bench/call");
        kill_process(running.pid(), Signal::KILL).unwrap();
        // Waits until all who hold the standard error are gone.
        assert!(!running.finish().status.success());
    }
}
