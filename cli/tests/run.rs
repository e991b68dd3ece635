//! `portcullis run`, with programs of the system as components: they never serve, and end as they like.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, interruptible, portcullis, run, text, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A component of a file.
fn component(name: &str, binary: &str, more: &str) -> String {
    format!("[[component]]\nname = '{name}'\nbinary = '{binary}'\nram = '1M'\ncaps = 10\n{more}\n")
}

fn file(directory: &TempDir, content: &str) -> PathBuf {
    let file = directory.path().join("composition.toml");
    // As editors do it: another file comes into its place.
    let new = directory.path().join("new");
    std::fs::write(&new, content).unwrap();
    std::fs::rename(&new, &file).unwrap();
    file
}

fn running(file: &Path) -> Running {
    Running::start(&mut interruptible(["run", file.to_str().unwrap()]))
}

/// The process that a program runs in, once it does.
fn process(program: &str, argument: &str) -> Pid {
    let line = format!("{program}\0{argument}\0");
    until(program, || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_it =
            |pid: &i32| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|is| is == line.as_bytes());
        pids.find(is_it).and_then(Pid::from_raw)
    })
}

/// Memory groups of the components of that process, below any of the groups that there are.
fn groups(of: Pid) -> usize {
    fn below(directory: &Path, name: &str) -> usize {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let ours = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(name);
        directories.map(|entry| usize::from(ours(&entry)) + below(&entry.path(), name)).sum()
    }
    below("/sys/fs/cgroup".as_ref(), &format!("portcullis-{}-", of.as_raw_nonzero()))
}

#[test]
fn it_ends_with_0_when_all_have_ended_with_0() {
    let directory = tempfile::tempdir().unwrap();
    let two = component("one", "/bin/true", "") + &component("two", "/bin/true", "sandbox = 'off'");
    let output = run(portcullis(["run"]).arg(file(&directory, &two)));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("init: one: ended") && said.contains("init: two: ended"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn it_ends_with_1_when_one_has_not() {
    let directory = tempfile::tempdir().unwrap();
    let two = component("good", "/bin/true", "")
        + &component("bad", "/bin/false", "restart = { intensity = 2, period = '1h' }");
    let output = run(portcullis(["run"]).arg(file(&directory, &two)));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("init: bad: started").count(), 3, "{said}");
    assert!(
        said.contains("init: bad: crashed, with code 1; stays stopped after 3 crashes within 3600s"),
        "{said}"
    );
}

/// The first component would leave a file, whatever is wrong with the second.
#[test]
fn a_wrong_file_starts_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let script = directory.path().join("script");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let touch =
        component("touch", "/usr/bin/touch", &format!("args = ['{}']\nsandbox = 'off'", mark.display()));
    let no_program = "is no 64-bit ELF executable";
    for (second, says) in [
        (component("a b", "/bin/true", ""), "component.name"),
        (component("second", "no/such", ""), "component.binary"),
        (component("second", script.to_str().unwrap(), ""), no_program),
        (
            "[[route]]\nservice = 'magic'\nto = 'parent'\n".into(),
            "a service that the parent gives: log, rom, spawn, timer",
        ),
    ] {
        let file = file(&directory, &(touch.clone() + &second));
        let output = run(portcullis(["run"]).arg(file));
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
        assert!(!mark.exists(), "{says}");
    }
    // And without the second it does.
    assert!(run(portcullis(["run"]).arg(file(&directory, &touch))).status.success());
    assert!(mark.exists());
}

#[test]
fn more_than_there_is_starts_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = file(&directory, &component("one", "/bin/true", ""));
    let output = run(portcullis(["run", "--ram", "512K"]).arg(&file));
    assert_eq!((output.status.code(), text(&output.stderr).contains("component.ram")), (Some(1), true));
    assert!(run(portcullis(["run", "--ram", "1M", "--caps", "10"]).arg(file)).status.success());
}

#[test]
fn a_signal_ends_all_and_leaves_nothing() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let directory = tempfile::tempdir().unwrap();
        let mut content = String::new();
        for (number, sandbox) in ["strict", "available", "off"].iter().enumerate() {
            let more =
                format!("args = ['10000{number}']\nsandbox = '{sandbox}'\nrestart = {{ intensity = 5 }}");
            content.write_str(&component(sandbox, "/bin/sleep", &more)).unwrap();
        }
        let running = running(&file(&directory, &content));
        let sleeping = [0, 1, 2].map(|number| process("/bin/sleep", &format!("10000{number}")));
        let pid = running.pid();
        kill_process(pid, signal).unwrap();
        let output = running.finish();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.matches(": killed").count(), 3, "{said}");
        assert!(sleeping.iter().all(|pid| !Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists()));
        assert_eq!(groups(pid), 0);
    }
}

/// The kernel ends them, whatever they do; what the command had to remove, the next one does.
#[test]
fn a_command_that_is_killed_takes_its_components_along_and_leaves_nothing_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let sleeps = component("sleeps", "/bin/sleep", "args = ['500001']\nsandbox = 'available'");
    let running = running(&file(&directory, &sleeps));
    let (command, sleeping) = (running.pid(), process("/bin/sleep", "500001"));
    kill_process(command, Signal::KILL).unwrap();
    assert_eq!(running.finish().status.code(), None);
    // Reaped or not, which is the business of whoever is its parent now.
    let line = format!("/proc/{}/cmdline", sleeping.as_raw_nonzero());
    until("the component has ended", || {
        std::fs::read(&line).map_or(true, |line| line.is_empty()).then_some(())
    });
    let ends = component("ends", "/bin/true", "sandbox = 'available'");
    assert_eq!(run(portcullis(["run"]).arg(file(&directory, &ends))).status.code(), Some(0));
    assert_eq!(groups(command), 0);
}

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

#[test]
fn it_says_who_runs_when_it_is_asked_and_as_json_whenever_that_changes() {
    let directory = tempfile::tempdir().unwrap();
    let two = component("sleeps", "/bin/sleep", "args = ['400001']") + &component("ends", "/bin/false", "");
    let file = file(&directory, &two);
    let mut running = Running::start(&mut interruptible(["run", "--json", file.to_str().unwrap()]));
    let said = running.writes("\n");
    assert!(said.contains(r#"{"name":"sleeps","life":"runs","process":"#), "{said}");
    let ended =
        r#""ends","life":"stays stopped","process":null,"starts":1,"code":1,"signal":null,"ram":1048576,"#;
    // At the latest in the line after that of the start.
    assert!(said.contains(ended) || running.writes("\n").contains(ended), "{said}");
    kill_process(running.pid(), Signal::USR1).unwrap();
    let said = running.says("ends       stays stopped");
    assert!(said.contains("1M of 1M     10 of 10"), "{said}");
    kill_process(running.pid(), Signal::TERM).unwrap();
    let output = running.finish();
    assert!(text(&output.stdout).ends_with("\"sessions\":[],\"more_sessions\":0}\n"));
}

/// Of all threads of the process: since the last look.
#[test]
fn while_nothing_happens_it_sleeps() {
    let directory = tempfile::tempdir().unwrap();
    let running = running(&file(&directory, &component("sleeps", "/bin/sleep", "args = ['500001']")));
    process("/bin/sleep", "500001");
    let tasks = format!("/proc/{}/task", running.pid().as_raw_nonzero());
    let switches = || -> u64 {
        let tasks = std::fs::read_dir(&tasks).unwrap().flatten();
        let statuses =
            tasks.map(|task| std::fs::read_to_string(task.path().join("status")).unwrap_or_default());
        let of = |line: &str| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok();
        statuses.flat_map(|status| status.lines().filter_map(of).collect::<Vec<_>>()).sum()
    };
    let (mut before, mut windows) = (switches(), 0);
    until("a second without a wake-up", || {
        // This is the time that is looked at.
        std::thread::sleep(std::time::Duration::from_secs(1));
        windows += 1;
        let (last, now) = (before, switches());
        before = now;
        (last == now).then_some(())
    });
    // What comes with its start is over after a window or two.
    assert!(windows <= 4, "awake in {} seconds", windows - 1);
    kill_process(running.pid(), Signal::TERM).unwrap();
    running.finish();
}

#[test]
fn results_that_cannot_be_written_are_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let file = file(&directory, &component("ends", "/bin/true", "sandbox = 'available'"));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = portcullis(["run", "--json"]).arg(&file).stdout(full).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), said.contains("cannot write the result")), (Some(1), true), "{said}");
    // And nothing is said of what ends with the command.
    let quiet = run(portcullis(["run"]).arg(&file));
    assert_eq!(text(&quiet.stderr).lines().count(), 2, "{}", text(&quiet.stderr));
}
