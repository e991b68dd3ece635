use super::*;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const MOUNTS: &str = "30 20 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n\
    31 20 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
    32 20 0:28 / /proc rw - proc proc rw\n";

fn place(directory: &str, hierarchy: Hierarchy) -> Place {
    Place { directory: directory.into(), hierarchy }
}

#[test]
fn a_limit_below_what_is_used_kills_nobody() {
    // Where there are none, others say so.
    let Ok(group) = Group::new(64 << 20) else { return };
    let script = "read go; all=$(head -c 8000000 /dev/zero | tr '\\0' x); echo full; read end; echo alive";
    let mut shell = Command::new("/bin/sh");
    let mut shell = shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    group.take_in(Pid::from_child(&shell)).unwrap();
    let (mut orders, output) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
    let mut lines = BufReader::new(output).lines().map(Result::unwrap);
    orders.write_all(b"go\n").unwrap();
    assert_eq!(lines.next().as_deref(), Some("full"));
    let limit = group.set(1 << 20).unwrap();
    assert!((8_000_000..=64 << 20).contains(&limit), "{limit}");
    orders.write_all(b"end\n").unwrap();
    assert_eq!(lines.next().as_deref(), Some("alive"));
    assert!(shell.wait().unwrap().success());
    assert_eq!(group.set(128 << 20).unwrap(), 128 << 20);
}

#[test]
fn groups_are_made_below_our_own_and_beside_it() {
    let places = places_of("0::/a.slice/b.service/main\n", MOUNTS);
    let unified = |path| place(path, Hierarchy::Unified);
    assert_eq!(
        places,
        [unified("/sys/fs/cgroup/a.slice/b.service/main"), unified("/sys/fs/cgroup/a.slice/b.service")]
    );
    assert_eq!(places_of("0::/\n", MOUNTS), [unified("/sys/fs/cgroup/")]);
}

#[test]
fn a_group_is_known_by_its_maker_whose_number_means_something_here() {
    assert_eq!(maker("portcullis-12-3-7", "-7"), Pid::from_raw(12));
    for name in ["portcullis-12-3-8", "portcullis-12-7", "portcullis-0-3-7", "portcullis-x-3-7", "other-7"] {
        assert_eq!(maker(name, "-7"), None, "{name}");
    }
    assert!(!is_gone(rustix::process::getpid()));
}

#[test]
fn the_old_hierarchy_is_known() {
    let places = places_of("9:cpu:/x\n4:memory:/h\n", MOUNTS);
    let old = |path| place(path, Hierarchy::Memory);
    assert_eq!(places, [old("/sys/fs/cgroup/memory/h"), old("/sys/fs/cgroup/memory")]);
}

#[test]
fn what_makes_no_sense_leads_nowhere() {
    for (groups, mounts) in [("", MOUNTS), ("0::/", ""), ("0:", MOUNTS), ("x", "y - z"), ("0::/../..", "")] {
        assert_eq!(places_of(groups, mounts), [], "{groups} {mounts}");
    }
}
