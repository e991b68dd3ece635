//! However the command ends, its components end with it, even while the client waits for input.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, interruptible, text};
use rustix::process::{Signal, kill_process, kill_process_group};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

fn start() -> (Running, std::process::ChildStdin) {
    let mut running = Running::start(interruptible(["demo", "wordcount", "-"]).stdin(Stdio::piped()));
    let mut stdin = running.stdin();
    stdin.write_all(b"some words\n").unwrap();
    running.component("wordcount/counter");
    running.component("wordcount/client");
    (running, stdin)
}

#[test]
fn ctrl_c_ends_all_quietly() {
    let (running, stdin) = start();
    kill_process_group(running.pid(), Signal::INT).unwrap();
    let output = running.finish();
    // A shell reports this as 130.
    assert_eq!(output.status.signal(), Some(Signal::INT.as_raw()));
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
    drop(stdin);
}

#[test]
fn an_interrupted_component_ends_the_command_as_if_it_were_interrupted() {
    let (running, stdin) = start();
    kill_process(running.component("wordcount/counter"), Signal::INT).unwrap();
    let output = running.finish();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
    drop(stdin);
}

#[test]
fn components_notice_the_end_of_their_parent() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let (running, stdin) = start();
        kill_process(running.pid(), signal).unwrap();
        let output = running.finish();
        assert_eq!(output.status.signal(), Some(signal.as_raw()));
        assert_eq!(text(&output.stderr), "");
        drop(stdin);
    }
}
