//! The memory groups of components, and what is donated to them.

use super::member;
use portcullis_component::sandbox::{Layer, PROGRAM, Support};
use portcullis_tests::composed::{Composed, route};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The limit of the memory group that a process is in, in bytes.
fn limit(process: u32) -> u64 {
    let groups = std::fs::read_to_string(format!("/proc/{process}/cgroup")).expect("it runs");
    let group = |controller: &str| {
        groups
            .lines()
            .find_map(|line| Some(line.split_once(controller)?.1.trim_start_matches('/').to_owned()))
    };
    let file = match group(":memory:") {
        Some(group) => PathBuf::from("/sys/fs/cgroup/memory").join(group).join("memory.limit_in_bytes"),
        None => Path::new("/sys/fs/cgroup").join(group("0::").expect("it is in one")).join("memory.max"),
    };
    let limit = std::fs::read_to_string(file).expect("groups are mounted where they always are");
    limit.trim().parse().expect("it is a number")
}

/// What a client has paid for its server fills at once: more than that has itself, together with what any program takes.
pub(super) fn attack_46_a_server_is_not_killed_for_what_was_donated_to_it(composed: &Composed) {
    const OWN: u64 = 1 << 20;
    const LARGE: u64 = 36 << 20;
    // In one place at a time: it is a lot.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let text = member("server", "board", "provides = ['report']")
        + &member("client", &format!("report {LARGE}"), "ram = '200M'")
        + &route("*", "log", "parent")
        + &route("client", "report", "server");
    composed.start(&text).expect("it is started");
    composed.until_said("[client] report: ", 3);
    assert_eq!(composed.said("[client] report: there"), 3, "{:#?}", composed.lines());
    let server = composed.process("server", 1);
    assert_eq!(composed.starts("server"), 1);
    if Support::of_this_system().expect("there is room to try it").has(Layer::MemoryGroup) {
        // It has nothing of it any more.
        assert!(limit(server) < OWN + PROGRAM + LARGE, "{}", limit(server));
    }
}
