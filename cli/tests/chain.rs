//! The chain demo: a capability outlives those that it came through, and costs the origin nothing for each of them.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, interruptible, portcullis, run, text};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use serde_json::Value;
use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt;

/// A chain that takes some seconds.
const LONG: [&str; 4] = ["demo", "chain", "--length", "1000"];

fn json(arguments: &[&str]) -> Value {
    let output = run(&mut portcullis(["demo", "chain", "--json"].iter().chain(arguments)));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    let line = text(&output.stdout);
    assert_eq!(line.lines().count(), 1);
    serde_json::from_str(&line).unwrap()
}

fn is_there(process: &Value) -> bool {
    let pid = Pid::from_raw(process.as_i64().unwrap().try_into().unwrap()).unwrap();
    test_kill_process(pid).is_ok()
}

fn assert_walked(chain: &Value, length: usize, end: &str) {
    assert_eq!((chain["demo"].as_str(), chain["called"].as_bool()), (Some("chain"), Some(true)));
    assert_eq!(chain["length"], length);
    let hops = chain["hops"].as_array().unwrap();
    let numbers: Vec<_> = hops.iter().map(|hop| hop["hop"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=length as u64).collect::<Vec<_>>());
    let deeds: Vec<_> = hops.iter().map(|hop| hop["did"].as_str().unwrap()).collect();
    let (last, before) = deeds.split_last().unwrap();
    assert!(*last == "called" && before.iter().all(|did| *did == "handed_on"), "{deeds:?}");
    assert!(hops.iter().all(|hop| hop["end"] == end), "{chain}");
    let processes = hops.iter().map(|hop| &hop["process"]).chain([&chain["origin"]["process"]]);
    assert!(!processes.clone().any(is_there), "{chain}");
    assert_eq!(
        processes.map(Value::to_string).collect::<HashSet<_>>().len(),
        length + 1,
        "each its own process"
    );
    for hop in hops {
        let [before, with_it] =
            ["descriptors_before", "descriptors_with_it"].map(|key| hop[key].as_u64().unwrap());
        assert!(before > 3 && with_it > before, "a capability behind a portal is a descriptor: {hop}");
    }
}

/// Whatever came and went, the origin is as it was.
fn assert_nothing_is_left(chain: &Value) {
    let origin = &chain["origin"];
    assert_eq!(origin["descriptors_before"], origin["descriptors_after"], "{origin}");
    assert_eq!(origin["object_is_gone"], true, "{origin}");
}

#[test]
fn a_capability_outlives_those_that_it_came_through() {
    for length in [1, 2, 8] {
        let chain = json(&["--length", &length.to_string()]);
        assert_walked(&chain, length, "exited");
        assert_nothing_is_left(&chain);
    }
}

#[test]
fn a_capability_outlives_those_that_were_killed_behind_it() {
    let chain = json(&["--kill"]);
    assert_walked(&chain, 8, "killed");
    assert_nothing_is_left(&chain);
}

#[test]
fn the_origins_descriptors_do_not_grow_with_the_chain() {
    let chain = json(&["--length", "100"]);
    assert_walked(&chain, 100, "exited");
    assert_nothing_is_left(&chain);
    let [before, most] =
        ["descriptors_before", "descriptors_most"].map(|key| chain["origin"][key].as_u64().unwrap());
    // Those of the hops that are there, and of the one before, whose end may not have been noticed.
    assert!(most - before < 20, "{}", chain["origin"]);
}

#[test]
fn every_hop_is_a_line_and_the_end_is_summed_up() {
    let output = run(&mut portcullis(["demo", "chain", "--length", "3"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    let lines: Vec<_> = shown.lines().collect();
    let [heading, origin, first, second, last, summary, descriptors] = lines[..] else { panic!("{shown}") };
    assert!(heading.contains("process") && heading.contains("descriptors"), "{heading}");
    assert!(origin.starts_with("origin "), "{origin}");
    assert!(first.starts_with("hop 1 ") && first.contains("handed it on, exited"), "{first}");
    assert!(second.starts_with("hop 2 ") && second.contains("handed it on, exited"), "{second}");
    assert!(last.starts_with("hop 3 ") && last.contains("called: ok, exited"), "{last}");
    assert!(summary.starts_with("Through 3 processes"), "{summary}");
    assert!(descriptors.contains("before"), "{descriptors}");
}

#[test]
fn wrong_lengths_end_with_2_and_say_why() {
    for (length, why) in [
        ("0", "somebody must make the call"),
        ("1001", "1000 at most"),
        ("99999999999", "number too large"),
        ("-1", "unexpected argument"),
        ("many", "invalid digit"),
    ] {
        let output = run(&mut portcullis(["demo", "chain", "--length", length]));
        let errors = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{errors}");
        assert!(errors.contains(why), "{why:?} is missing in: {errors}");
    }
}

#[test]
fn a_killed_origin_is_named_and_fails_the_demo() {
    let running = Running::start(&mut portcullis(LONG));
    let origin = running.component("chain/origin");
    kill_process(origin, Signal::KILL).unwrap();
    let output = running.finish();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("the origin process") && errors.contains(&origin.to_string()), "{errors}");
    assert!(!text(&output.stdout).contains("called"), "{}", text(&output.stdout));
}

#[test]
fn a_stopped_origin_is_named_and_fails_the_demo() {
    let running = Running::start(&mut portcullis(LONG));
    running.component("chain/hop");
    let origin = running.component("chain/origin");
    kill_process(origin, Signal::STOP).unwrap();
    let output = running.finish();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(&format!("the origin process ({origin}) does not answer")), "{errors}");
}

#[test]
fn ctrl_c_ends_all_quietly() {
    let running = Running::start(&mut interruptible(LONG));
    running.component("chain/origin");
    running.component("chain/hop");
    kill_process_group(running.pid(), Signal::INT).unwrap();
    // Waits until all who hold the standard error are gone.
    let output = running.finish();
    assert_eq!(output.status.signal(), Some(Signal::INT.as_raw()));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn the_components_end_with_the_command() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let running = Running::start(&mut interruptible(LONG));
        running.component("chain/origin");
        running.component("chain/hop");
        kill_process(running.pid(), signal).unwrap();
        let output = running.finish();
        assert_eq!(output.status.signal(), Some(signal.as_raw()));
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn a_reader_of_the_result_who_leaves_ends_it_quietly() {
    for arguments in [&["demo", "chain"][..], &["demo", "chain", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = run(portcullis(arguments).stdout(writer));
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(141), String::new()));
    }
}
