//! On a terminal a bar shows how far the demo is, and goes away.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, interruptible, text};
use rustix::process::{Signal, kill_process, kill_process_group};
use rustix::pty::OpenptFlags;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStdin, Stdio};

/// A terminal, and what is written to it as its programs have it.
fn pair() -> (File, File) {
    let terminal =
        rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    rustix::pty::grantpt(&terminal).unwrap();
    rustix::pty::unlockpt(&terminal).unwrap();
    let screen = rustix::pty::ptsname(&terminal, Vec::new()).unwrap();
    let screen = File::options().read(true).write(true).open(screen.to_str().unwrap()).unwrap();
    (terminal.into(), screen)
}

/// A terminal, and the demo with its standard error on it, five mebibytes of input and more to come: enough for a report of the
/// counting object.
fn start() -> (File, Running, ChildStdin) {
    let (terminal, screen) = pair();
    let mut command = interruptible(["demo", "wordcount", "-"]);
    let mut running = Running::start(command.stdin(Stdio::piped()).stderr(screen));
    let mut stdin = running.stdin();
    stdin.write_all(&b"four words of text\n".repeat((5 << 20) / 19 + 1)).unwrap();
    (terminal, running, stdin)
}

/// Reads what is shown up to `end`, or until nobody shows anything any more.
fn shown(terminal: &mut File, end: &str) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    // The end of all who have the terminal open is an error (EIO), not an end of file.
    while let Ok(length @ 1..) = terminal.read(&mut piece) {
        all.extend_from_slice(&piece[..length]);
        if !end.is_empty() && text(&all).contains(end) {
            break;
        }
    }
    text(&all)
}

/// What the object says when it has counted four mebibytes and a little.
const REPORTED: &str = "log: counted 4,19";
const CLEAR_LINE: &str = "\r\x1b[2K";
const HIDE_CURSOR: &str = "\x1b[?25l";

#[test]
fn a_bar_shows_and_goes_away() {
    let (mut terminal, running, stdin) = start();
    // Shown while the client waits for more input: how far it is, and what the counting object has reported.
    let before = shown(&mut terminal, REPORTED);
    assert!(before.contains("MiB") && before.contains(REPORTED), "{before}");
    drop(stdin);
    let after = shown(&mut terminal, "calls per second");
    let output = running.finish();
    assert!(output.status.success());
    let last = after.rsplit(CLEAR_LINE).next().unwrap();
    assert!(after.contains(CLEAR_LINE) && last.contains("calls in"), "the bar is gone: {after:?}");
    assert!(!last.contains("MiB"), "{last:?}");
}

#[test]
fn ctrl_c_leaves_the_terminal_usable() {
    let (mut terminal, running, stdin) = start();
    let mut all = shown(&mut terminal, REPORTED);
    kill_process_group(running.pid(), Signal::INT).unwrap();
    all += &shown(&mut terminal, "");
    assert_eq!(running.finish().status.signal(), Some(Signal::INT.as_raw()));
    assert!(all.contains(REPORTED) && !all.contains(HIDE_CURSOR), "{all:?}");
    drop(stdin);
}

#[test]
fn who_closes_the_terminal_ends_what_runs() {
    let (terminal, screen) = pair();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("long.toml");
    let sleeper = "[[component]]\nname = \"sleeper\"\nbinary = \"/bin/sleep\"\nargs = [\"1000\"]\n\
                   ram = \"1M\"\ncaps = 50\nsandbox = \"off\"\n";
    std::fs::write(&file, sleeper).unwrap();
    let mut command = interruptible(["run", file.to_str().unwrap()]);
    let running = Running::start(command.stdin(Stdio::null()).stderr(screen));
    let mut terminal = terminal;
    assert!(shown(&mut terminal, "sleeper: started").contains("sleeper"));
    drop(terminal);
    // As the system does then.
    kill_process(running.pid(), Signal::HUP).unwrap();
    assert_eq!(running.finish().status.code(), Some(129));
}
