//! Components that come and go leave nothing behind.

use crate::{INTRUDER, watchdog};
use portcullis_component::sandbox::{Bounds, Sandbox, Support};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{Cell, strict};
use portcullis_tests::resources::{Resources, eventually};
use std::fs;

/// Far fewer than the rounds.
const KEPT: u64 = 16;
const WARM_UP: usize = 16;

/// What a start could leave with us.
#[derive(Debug)]
struct Left {
    descriptors: u64,
    mappings: u64,
    children: usize,
    mounts: usize,
    groups: usize,
}

impl Left {
    fn now() -> Left {
        let Resources { descriptors, mappings, .. } = Resources::of_this_process();
        let lines = |path: &str| fs::read_to_string(path).expect("/proc is mounted").lines().count();
        Left {
            descriptors,
            mappings,
            children: children(),
            mounts: lines("/proc/self/mountinfo"),
            groups: groups(),
        }
    }

    fn is_no_more_than(&self, before: &Left) -> bool {
        self.descriptors <= before.descriptors
            // The C library keeps stacks and arenas of threads that have ended: a few, however many there were.
            && self.mappings <= before.mappings + KEPT
            && self.children <= before.children
            && self.mounts <= before.mounts
            && self.groups <= before.groups
    }
}

/// Children of this process, reaped or not, of any of its threads.
fn children() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc is mounted");
    let of_task = |path: std::path::PathBuf| fs::read_to_string(path.join("children")).unwrap_or_default();
    tasks.flatten().map(|task| of_task(task.path()).split_whitespace().count()).sum()
}

/// Memory groups of this process's components, below any of the groups that there are.
fn groups() -> usize {
    fn below(directory: &std::path::Path, name: &str) -> usize {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let ours = |entry: &fs::DirEntry| usize::from(entry.file_name().to_string_lossy().starts_with(name));
        directories.map(|entry| ours(&entry) + below(&entry.path(), name)).sum()
    }
    below("/sys/fs/cgroup".as_ref(), &format!("portcullis-{}-", std::process::id()))
}

/// In a process of its own: other tests make and end children at the same time.
#[test]
fn strict_starts_and_kills_leave_nothing() {
    const CHILD: &str = "PORTCULLIS_CYCLES_ALONE";
    if std::env::var_os(CHILD).is_none() {
        let test = "cycles::strict_starts_and_kills_leave_nothing";
        let mut alone = std::process::Command::new(std::env::current_exe().expect("/proc is mounted"));
        let status = alone.args([test, "--exact", "--nocapture"]).env(CHILD, "1").status();
        assert!(status.expect("this program starts").success());
        return;
    }
    let rounds = std::env::var("CYCLES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100);
    let _watchdog = (rounds <= 1_000).then(watchdog);
    if !Support::of_this_system().expect("there is room to try it").strict() {
        assert!(Cell::start(INTRUDER, &strict()).is_err());
        return;
    }
    let round = |number: usize, sandbox: &Sandbox| {
        let mut cell = Cell::start(INTRUDER, sandbox).expect("it starts");
        // Some are killed before they have begun, some after a call, some end by themselves, some are just dropped.
        match number % 4 {
            0 => drop(cell.child.kill()),
            1 => {
                cell.tries(Attempt::Thread, "").expect("it answers");
                cell.child.kill().expect("it can be killed");
            }
            2 => {
                drop(cell.first);
                assert!(cell.child.wait().expect("it ends").success());
            }
            _ => {}
        }
    };
    let refused = |number: usize| {
        let path = if number.is_multiple_of(2) { "/etc/passwd" } else { "/nonexistent" };
        assert!(Cell::start(path, &strict()).is_err());
    };
    let bounds = Bounds { memory: Some(32 << 20), ..Bounds::default() };
    let sandbox = Sandbox { bounds, ..strict() };
    (0..WARM_UP).for_each(|number| round(number, &sandbox));
    let before = Left::now();
    for number in 0..rounds {
        round(number, &sandbox);
        if number % 10 == 0 {
            refused(number);
        }
    }
    // Threads of domains that have ended may still be about to.
    let mut after = Left::now();
    eventually(|| {
        after = Left::now();
        after.is_no_more_than(&before)
    });
    assert!(after.is_no_more_than(&before), "after {rounds} rounds {after:?}, and before {before:?}");
}
