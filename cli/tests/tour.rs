//! `portcullis demo`: the tour.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

fn tour(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("demo").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command");
    let _ = child.stdin.take().expect("it is a pipe").write_all(input);
    child.wait_with_output().expect("it ends")
}

/// Whether this system can confine a component: where it cannot, the tour has to say so.
fn is_strict_possible() -> bool {
    let doctor = Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("doctor").output().expect("the command");
    doctor.status.success()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_tour_shows_all_and_ends_with_0_if_all_held() {
    let output = tour(&["tour", "-"], b"one two\nthree\n");
    let (said, found) = (text(&output.stderr), text(&output.stdout));
    if !is_strict_possible() {
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("doctor"), "it does not say what to do: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{said}\n{found}");
    assert!(found.contains("ok      the input was counted right: 2 lines, 3 words, 14 bytes\n"), "{found}");
    assert_eq!(found.matches("ok ").count(), 4, "{found}");
    assert!(said.contains("scribe: crashed, by signal 9; started anew"), "{said}");
    assert_eq!(said.matches("  intruder tries to ").count(), 8, "{said}");
    // Not even what its view has: it has given that up before it looked at anything.
    assert!(said.contains("read a file: refused: Operation not permitted"), "{said}");
    assert_eq!(said.matches("refused: ").count(), 8, "{said}");
    assert!(
        said.contains("outside of a sandbox: a connection to 127.0.0.1:"),
        "what is refused is possible: {said}"
    );
}

#[test]
fn the_tour_counts_a_large_input_and_writes_json() {
    if !is_strict_possible() {
        return;
    }
    let input = "word ".repeat(1 << 20);
    let output = tour(&["tour", "-", "--json"], input.as_bytes());
    let found = text(&output.stdout);
    assert!(output.status.success(), "{found}{}", text(&output.stderr));
    let json: serde_json::Value = serde_json::from_str(&found).expect("a line of JSON");
    let findings = json["findings"].as_array().expect("a list");
    assert!(findings.len() == 4 && findings.iter().all(|finding| finding["holds"] == true), "{found}");
}

#[test]
fn the_tour_says_what_is_wrong_with_its_input() {
    let output = tour(&["tour", "-"], b"");
    assert_eq!((output.status.code(), text(&output.stderr).contains("is empty")), (Some(1), true));
    let output = tour(&["tour", "/no/such/file"], b"");
    assert_eq!((output.status.code(), text(&output.stderr).contains("cannot read")), (Some(1), true));
}

#[test]
fn without_a_name_the_demos_are_listed_and_the_tour_runs() {
    let output = tour(&[], b"");
    let said = text(&output.stderr);
    for demo in ["tour", "wordcount", "chain", "bulk", "ticker"] {
        assert!(said.contains(&format!("\n  {demo} ")), "{said}");
    }
    assert_eq!(output.status.success(), is_strict_possible(), "{said}");
}

#[test]
fn the_code_says_which_signal_ended_it() {
    if !is_strict_possible() {
        return;
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command
            .args(["demo", "tour", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command");
        child.stdin.take().expect("it is a pipe").write_all(b"one two\n").expect("it reads");
        // It listens before it says anything.
        let mut said = [0];
        child.stderr.as_mut().expect("it is a pipe").read_exact(&mut said).expect("it says something");
        kill_process(Pid::from_child(&child), signal).expect("it is ours");
        assert_eq!(child.wait_with_output().expect("it ends").status.code(), Some(code));
    }
}
