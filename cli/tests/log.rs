//! The counting object of the word count demo reports to the log that the client was handed, and does without it if
//! need be.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, portcullis, run, text};
use rustix::process::{Signal, kill_process};
use std::io::Write;
use std::process::Stdio;

#[test]
fn the_last_report_is_that_of_all_bytes() {
    let directory = tempfile::tempdir().unwrap();
    for (length, said) in [(0, "0"), (10_847, "10,847"), (5 << 20, "5,242,880")] {
        std::fs::write(directory.path().join("input"), vec![b'x'; length]).unwrap();
        let output = run(portcullis(["demo", "wordcount", "input"]).current_dir(directory.path()));
        let errors = text(&output.stderr);
        assert!(output.status.success(), "{errors}");
        assert!(errors.starts_with(&format!("log: counted {said} bytes\n")), "{errors}");
    }
}

/// What the demo counts if the log gets a signal before the first report is due.
fn count_with(signal: Signal) -> (String, String, String) {
    let mut running = Running::start(portcullis(["demo", "wordcount", "-"]).stdin(Stdio::piped()));
    let mut stdin = running.stdin();
    // More than a pipe holds: when it is written the client reads, and the counting object has its log.
    stdin.write_all(&b"four words of text\n".repeat(10_000)).unwrap();
    let log = running.component("wordcount/log");
    kill_process(log, signal).unwrap();
    stdin.write_all(&b"four words of text\n".repeat(490_000)).unwrap();
    drop(stdin);
    let output = running.finish();
    assert!(output.status.success(), "{output:?}");
    (text(&output.stdout), text(&output.stderr), log.to_string())
}

fn assert_counts_without(signal: Signal) {
    let (counts, errors, log) = count_with(signal);
    assert_eq!(counts, " 500000 2000000 9500000 -\n");
    assert!(errors.contains(&format!("the log process ({log}) has ended or does not answer")), "{errors}");
    assert!(errors.ends_with(" calls per second\n") && !errors.contains("counted"), "{errors}");
}

#[test]
fn a_log_that_dies_does_not_stop_the_count() {
    assert_counts_without(Signal::KILL);
}

#[test]
fn a_log_that_is_stopped_does_not_stop_the_count() {
    assert_counts_without(Signal::STOP);
}
