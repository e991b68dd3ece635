//! The tutorial, step by step: its files are written, its commands run, and what they print is compared.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TUTORIAL: &str = include_str!("../../docs/tutorial.md");

/// What a block of the page is there for.
enum Step {
    /// To be written.
    File { path: String, content: String },
    /// To be run, and what it prints.
    Command { line: String, prints: Vec<String> },
}

/// The steps of a page. A file's block follows a line with its name alone.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut named = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix('`').and_then(|line| line.strip_suffix("`:")) {
            named = Some(name.to_owned());
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match (language, named.take()) {
            ("console", _) => steps.extend(commands(&block)),
            (_, Some(path)) => steps.push(Step::File { path, content: block.join("\n") + "\n" }),
            _ => {}
        }
    }
    steps
}

fn commands(block: &[&str]) -> Vec<Step> {
    let mut commands: Vec<Step> = Vec::new();
    for line in block {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(line), _) => commands.push(Step::Command { line: line.into(), prints: Vec::new() }),
            (None, Some(Step::Command { prints, .. })) => prints.push((*line).into()),
            (None, _) => panic!("{line:?} is printed by no command"),
        }
    }
    commands
}

/// A line without what differs from run to run: times, and numbers of processes.
fn same(line: &str) -> String {
    let mut words = Vec::new();
    let mut number_next = false;
    for word in line.split(' ') {
        let is_time = word.ends_with('s') && word.starts_with(|first: char| first.is_ascii_digit());
        words.push(if number_next || is_time { "#" } else { word });
        number_next = word == "process";
    }
    words.join(" ")
}

/// Whether the printed lines are those of the page, of which `...` stands for any.
fn agrees(printed: &[String], page: &[String]) -> bool {
    match page.iter().position(|line| line == "...") {
        None => printed.iter().map(|line| same(line)).eq(page.iter().map(|line| same(line))),
        Some(gap) => {
            let (before, behind) = (&page[..gap], &page[gap + 1..]);
            printed.len() >= before.len() + behind.len()
                && agrees(&printed[..before.len()], before)
                && agrees(&printed[printed.len() - behind.len()..], behind)
        }
    }
}

/// A shell in which a reader of the page works.
struct Reader {
    directory: PathBuf,
    path: String,
}

impl Reader {
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec 2>&1; {line}")])
            .current_dir(&self.directory)
            .env("PATH", &self.path);
        command.env("CARGO_NET_OFFLINE", "true").env_remove("CARGO_TARGET_DIR").stdin(Stdio::null());
        command
    }

    fn run(&mut self, line: &str, prints: &[String]) {
        if let Some(directory) = line.strip_prefix("cd ") {
            self.directory.push(directory);
            return;
        }
        let output = self.command(line).output().expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout);
        let lines = printed.lines().filter(|line| !line.is_empty());
        let printed: Vec<String> = lines.map(String::from).collect();
        assert!(output.status.success(), "`{line}` failed: {printed:#?}");
        // What succeeds without a word on the page may say one.
        assert!(
            prints.is_empty() || agrees(&printed, prints),
            "`{line}` printed {printed:#?}, not {prints:#?}"
        );
        if line.starts_with("cargo new") {
            // The versions that this workspace was tested with, which are at hand without a network.
            let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
            std::fs::copy(lock, self.directory.join("town/Cargo.lock")).expect("the new package is there");
        }
    }

    /// Runs what goes on until it is interrupted: when all of the page has been printed, in whatever order, and nothing
    /// else.
    fn run_and_interrupt(&self, line: &str, prints: &[String]) {
        let mut child =
            self.command(&format!("exec {line}")).stdout(Stdio::piped()).spawn().expect("a shell");
        let mut expected: VecDeque<String> = prints.iter().map(|line| same(line)).collect();
        let mut printed = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
        while !expected.is_empty() {
            let line = printed.next().unwrap_or_else(|| panic!("{expected:?} was not printed"));
            let line = same(&line.expect("text"));
            let place = expected.iter().position(|expected| *expected == line);
            expected.remove(place.unwrap_or_else(|| panic!("{line:?} is not on the page")));
        }
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, Signal::INT).expect("it runs");
        assert_eq!(child.wait().expect("it ends").code(), Some(130));
    }
}

#[test]
fn each_step_of_the_tutorial_does_what_it_says() {
    let place = tempfile::tempdir().expect("a directory");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    std::os::unix::fs::symlink(workspace, place.path().join("portcullis")).expect("an empty directory");
    let command = Path::new(env!("CARGO_BIN_EXE_portcullis")).parent().expect("a directory");
    let path = format!("{}:{}", command.display(), std::env::var("PATH").unwrap_or_default());
    // Where it is not, the page sends its reader to `portcullis doctor`, and so do we.
    let is_strict_possible = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .arg("doctor")
        .output()
        .expect("the command")
        .status
        .success();
    let mut reader = Reader { directory: place.path().into(), path };
    for step in steps(TUTORIAL) {
        match step {
            Step::File { path, content } => {
                let path = reader.directory.join(path);
                std::fs::create_dir_all(path.parent().expect("it is a file")).expect("a directory");
                std::fs::write(path, content).expect("a file");
            }
            Step::Command { line, prints } => match prints.split_last() {
                Some((last, prints)) if last == "^C" => {
                    if is_strict_possible {
                        reader.run_and_interrupt(&line, prints);
                    }
                }
                _ => reader.run(&line, &prints),
            },
        }
    }
}
