//! The built command, run with a limit to its time.
#![allow(dead_code, reason = "each test program uses a part of it")]

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What any test takes at most.
const LIMIT: Duration = Duration::from_secs(60);

/// The built command in a process group of its own, in the locale "C", without input.
pub(crate) fn portcullis<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    of_program(env!("CARGO_BIN_EXE_portcullis").as_ref(), args)
}

/// The same, interruptible even if whoever runs the tests is not: a shell's background jobs ignore SIGINT, and what is
/// ignored stays ignored by those that they start.
pub(crate) fn interruptible<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let program = ["--default-signal=INT", env!("CARGO_BIN_EXE_portcullis")];
    of_program("env".as_ref(), program.into_iter().chain(args))
}

/// The same, with a copy of the program.
pub(crate) fn of_program<A: AsRef<OsStr>>(program: &OsStr, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    Running::start(command).finish()
}

/// A command that runs. When the time is up or the test panics, all its processes are killed.
pub(crate) struct Running {
    child: Child,
    end: Sender<()>,
    watchdog: JoinHandle<bool>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Running {
        let child = command.spawn().unwrap();
        let group = Pid::from_child(&child);
        let (end, ended) = channel();
        let watchdog = std::thread::spawn(move || {
            let in_time = ended.recv_timeout(LIMIT).is_ok();
            if !in_time {
                let _ = kill_process_group(group, Signal::KILL);
            }
            in_time
        });
        Running { child, end, watchdog }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Its standard input; it stays open for as long as this lives.
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// What it says on standard error until these words have come.
    pub(crate) fn says(&mut self, words: &str) -> String {
        read_until(self.child.stderr.as_mut().unwrap(), words)
    }

    /// What it writes on standard output until these words have come.
    pub(crate) fn writes(&mut self, words: &str) -> String {
        read_until(self.child.stdout.as_mut().unwrap(), words)
    }

    /// Waits for its end, and for the end of all who hold its standard error: the component processes too.
    pub(crate) fn finish(self) -> Output {
        let output = self.child.wait_with_output().unwrap();
        let _ = self.end.send(());
        assert!(self.watchdog.join().unwrap(), "still there when the time was up: {output:?}");
        output
    }

    /// The process of a component, once it is there.
    pub(crate) fn component(&self, name: &str) -> Pid {
        until(name, || self.components(name).first().copied())
    }

    /// The processes of a component that are there.
    pub(crate) fn components(&self, name: &str) -> Vec<Pid> {
        let arguments = format!("\0component\0{name}\0");
        let parent = format!("\nPPid:\t{}\n", self.pid());
        let is_it = |pid: &i32| {
            std::fs::read_to_string(format!("/proc/{pid}/status"))
                .is_ok_and(|status| status.contains(&parent))
                && std::fs::read(format!("/proc/{pid}/cmdline"))
                    .is_ok_and(|line| line.ends_with(arguments.as_bytes()))
        };
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(is_it).filter_map(Pid::from_raw).collect()
    }
}

fn read_until(stream: &mut impl Read, words: &str) -> String {
    let mut said = Vec::new();
    while !text(&said).contains(words) {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "it has ended, and said {}", text(&said));
        said.push(byte[0]);
    }
    text(&said)
}

/// Asks until there is an answer, for a limited time.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < LIMIT, "waited too long for {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A component of a file.
pub(crate) fn component(name: &str, binary: &str, more: &str) -> String {
    format!("[[component]]\nname = '{name}'\nbinary = '{binary}'\nram = '1M'\ncaps = 10\n{more}\n")
}

/// A composition file with that content.
pub(crate) fn file(directory: &TempDir, content: &str) -> PathBuf {
    let file = directory.path().join("composition.toml");
    // As editors do it: another file comes into its place.
    let new = directory.path().join("new");
    std::fs::write(&new, content).unwrap();
    std::fs::rename(&new, &file).unwrap();
    file
}

/// `portcullis run` of that file.
pub(crate) fn running(file: &Path) -> Running {
    Running::start(&mut interruptible(["run", file.to_str().unwrap()]))
}

/// The process that a program runs in, once it does.
pub(crate) fn process(program: &str, argument: &str) -> Pid {
    let line = format!("{program}\0{argument}\0");
    until(program, || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_it =
            |pid: &i32| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|is| is == line.as_bytes());
        pids.find(is_it).and_then(Pid::from_raw)
    })
}
