//! The ticker demo: nobody waits for anybody, and everybody sees the last state.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, portcullis, run, text, until};
use rustix::process::{Signal, kill_process};

#[test]
fn g33_every_watcher_sees_the_last_state_and_the_busy_ones_in_fewer_looks() {
    let output = run(&mut portcullis(["demo", "--json", "ticker", "--ticks", "40", "--every", "5"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let watchers = json["watchers"].as_array().unwrap();
    let column = |name: &str| watchers.iter().map(|row| row[name].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(column("last"), [40, 40, 40]);
    let runs = column("runs");
    assert!(runs.iter().all(|runs| (1..=41).contains(runs)), "never more than signals: {runs:?}");
    // Busy for 25 ms after each look at 40 ticks of 5 ms; more looks than that only if the machine stood still.
    assert!(runs[2] <= 20, "many signals are one: {runs:?}");
}

#[test]
fn the_table_has_a_line_for_each_watcher() {
    let output = run(&mut portcullis(["demo", "ticker", "--watchers", "2", "--ticks", "3", "--every", "1"]));
    let table = text(&output.stdout);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!((output.status.code(), lines.len()), (Some(0), 4), "{table}");
    assert!(lines[1].trim_start().starts_with('1') && lines[1].ends_with(" 3"), "{table}");
    assert!(lines[2].trim_start().starts_with('2') && lines[2].ends_with(" 3"), "{table}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_killed_watcher_is_named_and_a_stopped_clock_is_told_of() {
    let running = Running::start(&mut portcullis(["demo", "ticker", "--ticks", "100", "--every", "20"]));
    kill_process(running.component("ticker/watcher"), Signal::KILL).unwrap();
    let output = running.finish();
    let errors = text(&output.stderr);
    assert!(errors.contains("the watcher process (") && errors.contains("run the command again"), "{errors}");
    assert_eq!(output.status.code(), Some(1));

    let running = Running::start(&mut portcullis(["demo", "ticker", "--ticks", "1000", "--every", "20"]));
    kill_process(running.component("ticker/clock"), Signal::STOP).unwrap();
    let output = running.finish();
    let errors = text(&output.stderr);
    // It may be a watcher who finds out.
    assert!(
        errors.contains("does not answer") || errors.contains("no answer before the deadline"),
        "{errors}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_watcher_may_be_busy_for_longer_than_a_call_waits() {
    let arguments = ["demo", "ticker", "--watchers", "3", "--ticks", "2", "--every", "1200"];
    let output = run(&mut portcullis(arguments));
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// It would take days.
#[test]
fn a_watcher_that_is_killed_is_named_before_the_clock_has_ticked_to_its_end() {
    let arguments = ["demo", "ticker", "--watchers", "2", "--ticks", "100000", "--every", "10000"];
    let running = Running::start(&mut portcullis(arguments));
    let watcher = running.component("ticker/watcher");
    // The second one is started when the first one has begun to watch.
    until("the other watcher", || (running.components("ticker/watcher").len() == 2).then_some(()));
    kill_process(watcher, Signal::KILL).unwrap();
    let output = running.finish();
    assert_eq!(output.status.code(), Some(1));
    let says = format!("the watcher process ({watcher}) ended before the result was there (signal: 9");
    assert!(text(&output.stderr).contains(&says), "{}", text(&output.stderr));
}

#[test]
fn wrong_arguments_are_refused() {
    for wrong in [["--watchers", "0"], ["--watchers", "33"], ["--ticks", "0"], ["--every", "-1"]] {
        let output = run(&mut portcullis(["demo", "ticker"].into_iter().chain(wrong)));
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
