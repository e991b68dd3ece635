//! Trees of compositions, and what is left of them.

use super::{composed as new, member, runs, watchdog};
use portcullis_tests::composed::{Composed, Place, route, within};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::path::Path;

/// A tree of inits so deep, of which each has two more, and at the end components.
fn tree(depth: u32, ram: u64) -> String {
    let leaf = |name: &str| member(name, "write", "ram = '1M'");
    let node = |name: &str| {
        let inner = tree(depth - 1, ram / 4);
        let node = within(name, env!("CARGO_BIN_EXE_composer"), &inner);
        node.replace("ram = '1G'", &format!("ram = '{ram}M'"))
            .replace("caps = 100000", &format!("caps = {}", 20 * ram))
    };
    match depth {
        0 => leaf("left") + &leaf("right") + &route("*", "log", "parent"),
        _ => node("left") + &node("right"),
    }
}

/// The processes below this one, by number, and what they run.
fn descendants() -> BTreeMap<u32, String> {
    let of = |status: &str, field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim().parse::<u32>().ok()
    };
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").expect("/proc is mounted").flatten() {
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        if let (Some(pid), Some(parent)) = (of(&status, "Pid:"), of(&status, "PPid:")) {
            let name = status.lines().next().unwrap_or_default().trim_start_matches("Name:\t").to_owned();
            parents.insert(pid, (parent, name));
        }
    }
    let ours = std::process::id();
    let is_below = |pid: &u32| {
        let mut pid = *pid;
        while let Some((parent, _)) = parents.get(&pid) {
            if *parent == ours {
                return true;
            }
            pid = *parent;
        }
        false
    };
    parents.iter().filter(|(pid, _)| is_below(pid)).map(|(pid, (_, name))| (*pid, name.clone())).collect()
}

/// Memory groups of this process's components, and of those that it has started for others.
fn groups() -> usize {
    fn below(directory: &Path, name: &str) -> usize {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let ours = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(name);
        directories.map(|entry| usize::from(ours(&entry)) + below(&entry.path(), name)).sum()
    }
    below("/sys/fs/cgroup".as_ref(), &format!("portcullis-{}-", std::process::id()))
}

/// In a process of its own: it counts what that has.
#[test]
fn scenario_29_bomb_a_tree_of_compositions_is_killed_again_and_again_and_nothing_is_left() {
    const ALONE: &str = "PORTCULLIS_BOMB_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test =
            "bomb::scenario_29_bomb_a_tree_of_compositions_is_killed_again_and_again_and_nothing_is_left";
        let mut alone = std::process::Command::new(std::env::current_exe().expect("/proc is mounted"));
        let output = alone.args([test, "--exact", "--nocapture"]).env(ALONE, "1").output();
        let output = output.expect("this program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let _watchdog = watchdog();
    // Three levels of inits: 2 + 4, and 8 components.
    let text = tree(2, 128);
    let composed = new(Place::Root);
    composed.start("").expect("there is nothing to start");
    let before = descendants();
    assert!(before.is_empty() && groups() == 0);
    for round in 0..6 {
        composed.change(&text);
        composed.until(|composed| {
            let of = |name: &str| composed.lines().iter().filter(|line| line.starts_with(name)).count();
            let all = ["left", "right"]
                .iter()
                .flat_map(|first| ["left", "right"].map(|second| format!("[{first} -> {second} -> ")));
            all.flat_map(|path| [format!("{path}left] line"), format!("{path}right] line")])
                .all(|line| of(&line) > 0)
        });
        assert_eq!(descendants().len(), 14, "{:?}", descendants());
        if round % 2 == 0 {
            composed.change("");
        } else {
            // From without, one of them first; and the rest with the composition.
            let left = composed.process("left", 1).try_into().ok().and_then(Pid::from_raw);
            kill_process(left.expect("it is a number"), Signal::KILL).expect("it runs");
            composed.change("");
        }
        composed.until(|_| descendants().is_empty() && groups() == 0);
        composed.forget();
    }
}

/// A composition in a sandbox starts no process that is confined less, nor any for more memory than it has.
#[test]
fn attack_46_a_confined_composition_gets_no_process_beyond_its_own_confinement_and_memory() {
    let _watchdog = watchdog();
    for (more, says) in [
        ("sandbox = 'off'", "a process is confined as much as who starts it, at least"),
        ("ram = '2G'", "component.ram"),
    ] {
        let composed = new(Place::Within);
        composed
            .start(&(member("out", "write", more) + &route("*", "log", "parent")))
            .expect("it is started");
        composed.until_said("init: inner: crashed", 1);
        assert_eq!((composed.said("[out]"), composed.starts("out")), (0, 0));
        composed.until_said(says, 1);
    }
}

/// Without a way to whoever starts processes it starts its own, if it is not confined, and none if it is.
#[test]
fn a_composition_that_may_not_spawn_starts_processes_only_without_a_sandbox() {
    let _watchdog = watchdog();
    let inner = member("writer", "write", "") + &route("*", "log", "parent");
    let text = within("inner", env!("CARGO_BIN_EXE_composer"), &inner);
    let confined = text.replace("service = '*'", "service = 'log'");
    let free = confined.replacen("sandbox = 'strict'", "sandbox = 'off'", 1).replacen(
        "sandbox = 'available'",
        "sandbox = 'off'",
        1,
    );
    let composed: Composed = new(Place::Root);
    composed.start(&free).expect("it is started");
    composed.until_said("[writer] line 3", 1);
    assert!(runs(composed.process("writer", 1)));
    composed.change(&confined);
    composed.until_said("init: inner: crashed, with code 1", 1);
    assert_eq!(composed.starts("writer"), 1);
}
