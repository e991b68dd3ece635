//! `portcullis run`, with programs of the system as components: they never serve, and end as they like.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, component, file, interruptible, portcullis, process, run, running, text, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Write;
use std::path::Path;

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

/// As `check` says, too.
#[test]
fn a_file_without_a_component_is_told_of_and_ends_with_0() {
    let directory = tempfile::tempdir().unwrap();
    let file = file(&directory, "");
    let says = format!(
        "{}:1:1: warning: component: found none of them, expected one at least; there is nothing to run\n",
        file.display()
    );
    for command in ["run", "check"] {
        let output = run(portcullis([command]).arg(&file));
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), says.clone()), "{command}");
    }
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
