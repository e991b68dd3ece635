//! What goes wrong is said with what to do, and ends with the right code.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, of_program, portcullis, run, text};
use rustix::process::{Signal, kill_process};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Output, Stdio};

fn assert_fails(output: &Output, code: i32, parts: &[&str]) {
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(output.stdout.is_empty(), "no result: {}", text(&output.stdout));
    for part in parts {
        assert!(errors.contains(part), "{part:?} is missing in: {errors}");
    }
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn wrong_arguments_end_with_2() {
    let wrong: [&[&str]; 6] = [
        &[],
        &["no-such-command"],
        &["demo", "no-such-demo"],
        &["demo", "--no-such-option"],
        &["demo", "wordcount", "one", "two"],
        &["component"],
    ];
    for arguments in wrong {
        assert_fails(&run(&mut portcullis(arguments)), 2, &["Usage: portcullis"]);
    }
}

#[test]
fn help_and_version_end_with_0() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["help", "demo"],
        &["demo", "wordcount", "--help"],
        &["demo", "chain", "--help"],
    ] {
        let output = run(&mut portcullis(arguments));
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(text(&output.stdout).contains("ortcullis"), "{arguments:?}");
        assert!(!text(&output.stdout).contains("\n  component"), "the hidden command stays hidden");
    }
}

#[test]
fn a_missing_file() {
    let output = run(&mut portcullis(["demo", "wordcount", "no/such file"]));
    assert_fails(&output, 1, &["'no/such file'", "No such file", "name a file that can be read"]);
}

#[test]
fn a_directory() {
    assert_fails(
        &run(&mut portcullis(["demo", "wordcount", "/"])),
        1,
        &["'/' is a directory", "name a file"],
    );
}

#[test]
fn a_file_without_permission() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    std::fs::write(&file, b"secret").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Permissions bind everybody but root, so root runs a copy of the program as somebody else.
    let program = directory.path().join("portcullis");
    std::fs::copy(env!("CARGO_BIN_EXE_portcullis"), &program).unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = of_program(program.as_os_str(), ["demo", "wordcount", "secret"]);
    if rustix::process::geteuid().is_root() {
        command.uid(65_534);
    }
    let output = run(command.current_dir(directory.path()));
    assert_fails(&output, 1, &["'secret'", "Permission denied", "name a file that can be read"]);
}

#[test]
fn a_file_that_opens_but_cannot_be_read() {
    // Address 0 of a process is not mapped.
    for arguments in [["demo", "wordcount", "/proc/self/mem"], ["demo", "bulk", "/proc/self/mem"]] {
        let output = run(&mut portcullis(arguments));
        let parts = ["the input cannot be read", "Input/output error", "name a file that can be read"];
        assert_fails(&output, 1, &parts);
        assert!(!text(&output.stderr).contains("again"), "it would be no better");
    }
}

#[test]
fn a_full_disk() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = run(portcullis(["demo", "wordcount", "/dev/null"]).stdout(full));
    assert_fails(&output, 1, &["cannot write the result", "No space left"]);
}

#[test]
fn a_reader_of_the_result_who_leaves_ends_it_quietly() {
    for arguments in [&["demo", "wordcount", "/dev/null"][..], &["demo", "wordcount", "/dev/null", "--json"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = run(portcullis(arguments).stdout(writer));
        assert_fails(&output, 141, &[]);
        assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    }
}

#[test]
fn nobody_reads_the_errors() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = run(portcullis(["demo", "wordcount", "/dev/null"]).stderr(writer));
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_component_started_by_hand() {
    for name in ["wordcount/counter", "wordcount/client", "wordcount/log", "chain/origin", "chain/hop"] {
        assert_fails(&run(&mut portcullis(["component", name])), 1, &[name, "through Portcullis"]);
    }
    assert_fails(
        &run(&mut portcullis(["component", "none"])),
        1,
        &["no component 'none'", "portcullis demo"],
    );
}

/// The command itself has enough of them, as many as its components may have.
#[test]
fn a_component_that_is_short_of_descriptors() {
    let program = env!("CARGO_BIN_EXE_portcullis");
    // As many as a component holds and some more, and not those that it is to have to spare.
    let arguments = ["--nofile=15", program, "demo", "wordcount", "/dev/null"];
    let output = run(&mut of_program("prlimit".as_ref(), arguments));
    let parts = ["the counter process (", "may have 15 descriptors, and not 8 of them are free", "ulimit -n"];
    assert_fails(&output, 1, &parts);
    assert!(!text(&output.stderr).contains("overloaded"), "it is not");
}

/// Kills a component while the client waits for input.
fn kill(component: &str, says: &str) {
    let mut running = Running::start(portcullis(["demo", "wordcount", "-"]).stdin(Stdio::piped()));
    let mut stdin = running.stdin();
    stdin.write_all(b"some words\n").unwrap();
    let pid = running.component(component);
    kill_process(pid, Signal::KILL).unwrap();
    assert_fails(&running.finish(), 1, &[says, &pid.to_string(), "signal: 9", "run the command again"]);
    drop(stdin);
}

#[test]
fn a_killed_counter() {
    kill("wordcount/counter", "the counter process");
}

#[test]
fn a_killed_client() {
    kill("wordcount/client", "the client process");
}
