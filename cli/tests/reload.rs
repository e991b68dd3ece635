//! `portcullis run`, whose file changes.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, component, file, interruptible, process, running, text, until};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::io::Errno;
use rustix::process::{Signal, kill_process};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_file_that_changes_changes_what_is_different_and_a_wrong_one_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let stays = component("stays", "/bin/sleep", "args = ['200001']");
    let goes = component("goes", "/bin/sleep", "args = ['200002']");
    let first = stays.clone() + &goes;
    let running = running(&file(&directory, &first));
    let (stayed, gone) = (process("/bin/sleep", "200001"), process("/bin/sleep", "200002"));
    file(&directory, &(first + "[[component]]\n"));
    // In place: it is empty first.
    std::fs::write(
        directory.path().join("composition.toml"),
        stays.clone() + &component("comes", "/bin/sleep", "args = ['200003']"),
    )
    .unwrap();
    process("/bin/sleep", "200003");
    until("the end of the other", || {
        (!Path::new(&format!("/proc/{}", gone.as_raw_nonzero())).exists()).then_some(())
    });
    assert_eq!(process("/bin/sleep", "200001"), stayed);
    file(&directory, &component("stays", "/bin/true", ""));
    let output = running.finish();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("init: stays: started").count(), 2, "{said}");
    assert!(said.contains("init: goes: stopped"), "{said}");
}

/// What else is in its directory, a log that a component writes there, say, is nothing to wait for.
#[test]
fn a_file_that_changes_is_read_again_though_another_one_beside_it_is_written_without_end() {
    let directory = tempfile::tempdir().unwrap();
    let running = running(&file(&directory, &component("first", "/bin/sleep", "args = ['210001']")));
    process("/bin/sleep", "210001");
    let other = std::fs::File::create(directory.path().join("other")).unwrap();
    let (goes_on, has_begun) = (AtomicBool::new(true), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while goes_on.load(Ordering::Relaxed) {
                other.write_at(b"x", 0).unwrap();
                has_begun.store(true, Ordering::Relaxed);
                std::thread::yield_now();
            }
        });
        until("the other one is written", || has_begun.load(Ordering::Relaxed).then_some(()));
        file(&directory, &component("second", "/bin/sleep", "args = ['210002']"));
        let found = std::panic::catch_unwind(|| process("/bin/sleep", "210002"));
        goes_on.store(false, Ordering::Relaxed);
        found.unwrap();
    });
    kill_process(running.pid(), Signal::TERM).unwrap();
    assert_eq!(running.finish().status.code(), Some(143));
}

/// The system forgets what it had to say of the file when it has too much to say of others.
#[test]
fn a_file_that_changes_among_more_changes_than_the_system_tells_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let running = running(&file(&directory, &component("first", "/bin/sleep", "args = ['220001']")));
    process("/bin/sleep", "220001");
    kill_process(running.pid(), Signal::STOP).unwrap();
    let status = format!("/proc/{}/status", running.pid().as_raw_nonzero());
    until("it is stopped", || std::fs::read_to_string(&status).unwrap().contains("State:\tT").then_some(()));
    let most = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let others = ["one", "two"].map(|name| std::fs::File::create(directory.path().join(name)).unwrap());
    // Two by turns, since changes of one that follow each other are one.
    for other in others.iter().cycle().take(most.trim().parse().unwrap()) {
        other.write_at(b"x", 0).unwrap();
    }
    file(&directory, &component("second", "/bin/sleep", "args = ['220002']"));
    kill_process(running.pid(), Signal::CONT).unwrap();
    process("/bin/sleep", "220002");
    kill_process(running.pid(), Signal::TERM).unwrap();
    assert_eq!(running.finish().status.code(), Some(143));
}

#[test]
fn sighup_reads_the_file_again_and_a_wrong_one_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let good = component("stays", "/bin/sleep", "args = ['300001']");
    let target = directory.path().join("real.toml");
    std::fs::write(&target, &good).unwrap();
    // A link: what is written is elsewhere, and only the signal says that.
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.toml");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let mut running =
        Running::start(interruptible(["run", link.to_str().unwrap()]).stdout(std::process::Stdio::piped()));
    let stays = process("/bin/sleep", "300001");
    std::fs::write(&target, good.replace("caps = 10", "caps = 0")).unwrap();
    kill_process(running.pid(), Signal::HUP).unwrap();
    let said = running.says("nothing has changed");
    assert!(said.contains("component.caps: found 0"), "{said}");
    assert_eq!(process("/bin/sleep", "300001"), stays);
    std::fs::write(&target, component("stays", "/bin/true", "")).unwrap();
    kill_process(running.pid(), Signal::HUP).unwrap();
    assert_eq!(running.finish().status.code(), Some(0));
}

/// A suffix that is the name of a component, which is warned of.
const DOUBTFUL: &str = "[[route]]\nservice = 'log'\nlabel = { suffix = 'first' }\nto = 'parent'\n";

#[test]
fn a_file_that_is_read_again_is_run_though_nobody_reads_what_is_said_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    // Of its own, so that the command's end of the pipe goes on waiting for room.
    let filler = rustix::fs::open(
        format!("/proc/self/fd/{}", writer.as_raw_fd()),
        OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let filler = filler.unwrap();
    let first = component("first", "/bin/sleep", "args = ['230001']");
    let path = file(&directory, &first);
    let mut command = interruptible(["run", path.to_str().unwrap()]);
    let running = Running::start(command.stderr(writer));
    drop(command);
    process("/bin/sleep", "230001");
    let fill =
        |bytes: &[u8]| std::iter::repeat_with(|| rustix::io::write(&filler, bytes)).find_map(Result::err);
    assert_eq!([fill(&[b'x'; 4096]), fill(b"x")], [Some(Errno::AGAIN); 2]);
    file(&directory, &(first + &component("second", "/bin/sleep", "args = ['230002']") + DOUBTFUL));
    process("/bin/sleep", "230002");
    kill_process(running.pid(), Signal::TERM).unwrap();
    assert_eq!(running.finish().status.code(), Some(143));
    drop(reader);
}

/// What is no file could have it wait for whoever writes there.
#[test]
fn what_can_be_read_once_only_is_not_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let content = component("sleeps", "/bin/sleep", "args = ['240001']\nsandbox = 'available'");
    let pipe = directory.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for file in [pipe.to_str().unwrap(), "-"] {
        let mut running = Running::start(interruptible(["run", file]).stdin(Stdio::piped()));
        let mut stdin = running.stdin();
        match file {
            "-" => stdin.write_all(content.as_bytes()).unwrap(),
            _ => std::fs::write(&pipe, &content).unwrap(),
        }
        drop(stdin);
        let sleeps = process("/bin/sleep", "240001");
        kill_process(running.pid(), Signal::HUP).unwrap();
        let said = running.says("nothing has changed");
        assert!(said.contains(&format!("'{file}' can be read once only")), "{said}");
        assert_eq!(process("/bin/sleep", "240001"), sleeps);
        kill_process(running.pid(), Signal::TERM).unwrap();
        assert_eq!(running.finish().status.code(), Some(143));
    }
}
