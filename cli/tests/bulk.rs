//! The result of the bulk demo is that of `sha256sum`, whatever is transferred.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, portcullis, run, text};
use rustix::process::{Signal, kill_process};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `sha256sum` prints for a file of the directory.
fn sha256sum(directory: &Path, file: &str) -> String {
    let output = Command::new("sha256sum").arg(file).current_dir(directory).output().unwrap();
    assert!(output.status.success());
    text(&output.stdout)
}

const WAYS: [&str; 3] = ["rpc", "buffer", "stream"];

/// What the demo prints.
fn demo(directory: &Path, file: &str, via: &str) -> String {
    let output = run(portcullis(["demo", "bulk", "--via", via, file]).current_dir(directory));
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.ends_with(" MB per second\n"), "{errors}");
    assert!(!errors.contains('\x1b'), "a bar only on a terminal: {errors}");
    text(&output.stdout)
}

fn assert_equals_sha256sum(name: &str, content: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(name), content).unwrap();
    for via in WAYS {
        assert_eq!(demo(directory.path(), name, via), sha256sum(directory.path(), name), "{via}");
    }
}

/// Bytes with a long period.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * place / 251).to_le_bytes()[0]).collect()
}

#[test]
fn equals_sha256sum_for_sizes_around_those_of_pieces() {
    for length in [0, 1, 1022, 1023, 65_408, 65_409, 65_536, 65_537, 262_144, 262_145, 9_000_000] {
        assert_equals_sha256sum("input", &content(length));
    }
}

#[test]
fn names_are_written_as_sha256sum_writes_them() {
    for name in ["with blanks", "back\\slash", "new\nline", "return\rcarriage", "Maß"] {
        assert_equals_sha256sum(name, b"content");
    }
}

#[test]
fn standard_input_is_transferred_as_it_comes() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("-"), content(200_000)).unwrap();
    let expected = sha256sum(directory.path(), "./-").replace("./-", "-");
    for via in WAYS {
        let mut running =
            Running::start(portcullis(["demo", "bulk", "-", "--via", via]).stdin(Stdio::piped()));
        let mut input = running.stdin();
        for piece in content(200_000).chunks(7_001) {
            input.write_all(piece).unwrap();
        }
        drop(input);
        let output = running.finish();
        assert_eq!((text(&output.stdout), output.status.success()), (expected.clone(), true), "{via}");
    }
}

#[test]
fn all_ways_stand_side_by_side() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("input"), content(1_000_000)).unwrap();
    let output = run(portcullis(["demo", "bulk", "--via", "all", "input"]).current_dir(directory.path()));
    assert_eq!(text(&output.stdout), sha256sum(directory.path(), "input"));
    let errors = text(&output.stderr);
    assert_eq!(errors.lines().count(), WAYS.len(), "{errors}");
    for (line, via) in errors.lines().zip(WAYS) {
        assert!(line.starts_with(&format!("{via:>6}: 1000000 bytes in ")), "{errors}");
    }
    let file = std::fs::File::open(directory.path().join("input")).unwrap();
    for standard_input in [Stdio::null(), file.into()] {
        let output = run(portcullis(["demo", "bulk", "--via", "all", "-"]).stdin(standard_input));
        assert!(text(&output.stderr).contains("can be read once only"), "{}", text(&output.stderr));
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""));
    }
}

#[test]
fn a_killed_component_is_named_whatever_the_way() {
    for (via, component, named) in [
        ("stream", "bulk/sink", "the sink process ("),
        ("stream", "bulk/source", "the source process ("),
        ("buffer", "bulk/sink", "the sink process ("),
    ] {
        let mut running =
            Running::start(portcullis(["demo", "bulk", "-", "--via", via]).stdin(Stdio::piped()));
        let mut input = running.stdin();
        input.write_all(&content(100_000)).unwrap();
        kill_process(running.component(component), Signal::KILL).unwrap();
        let output = running.finish();
        let errors = text(&output.stderr);
        assert!(errors.contains(named), "{via}, {component}: {errors}");
        assert_eq!(output.status.code(), Some(1));
        drop(input);
    }
}

#[test]
fn json_has_the_same() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("input"), b"abc").unwrap();
    let output = run(portcullis(["demo", "--json", "bulk", "input"]).current_dir(directory.path()));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["demo"], &json["via"]), (&"bulk".into(), &"stream".into()));
    assert_eq!(json["bytes"], 3);
    assert_eq!(json["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert!(json["bytes_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_do() {
    for (file, said) in
        [("/no/such/file", "name a file that can be read"), ("/", "is a directory; name a file")]
    {
        let output = run(&mut portcullis(["demo", "bulk", file]));
        let errors = text(&output.stderr);
        assert!(errors.contains(said), "{errors}");
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]));
    }
}
