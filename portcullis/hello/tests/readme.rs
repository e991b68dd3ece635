//! The hello world is what the README says, and does what it says.

use std::process::{Command, Stdio};

/// The README's Rust code: the first block.
fn in_readme() -> &'static str {
    let readme = include_str!("../../../README.md");
    let (_, code) = readme.split_once("```rust\n").expect("it shows a program");
    code.split_once("```\n").expect("the block ends").0
}

#[test]
fn the_readme_shows_this_very_program() {
    assert_eq!(in_readme(), include_str!("../src/main.rs"));
}

#[test]
fn it_has_no_more_than_twenty_lines_that_say_something() {
    let says = |line: &&str| !["", "}"].contains(&line.trim()) && !line.starts_with("//");
    assert!(in_readme().lines().filter(says).count() <= 20);
}

#[test]
fn it_prints_what_its_child_answers() {
    let output = Command::new(env!("CARGO_BIN_EXE_hello")).stdin(Stdio::null()).output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Hello, world!\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "its child ends quietly");
    assert!(output.status.success());
}

#[test]
fn the_child_is_no_program_of_its_own() {
    let output = Command::new(env!("CARGO_BIN_EXE_hello")).arg("child").output().expect("it starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("NotSpawned"), "{output:?}");
}
