//! A confined component as the system sees it from outside: each layer is there, and not only the first that refuses.

use crate::{INTRUDER, root, watchdog};
use portcullis_component::sandbox::{Layer, Support};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::both;
use std::collections::BTreeSet;
use std::fs;

fn of(id: u32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{id}/{file}")).expect("its parent may look")
}

fn field(id: u32, name: &str) -> String {
    let status = of(id, "status");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says it");
    line.trim().into()
}

#[test]
fn strict_each_namespace_is_its_own() {
    let _watchdog = watchdog();
    let Some((confined, _)) = both(INTRUDER) else { return };
    let Some((another, _)) = both(INTRUDER) else { return };
    for kind in ["user", "pid", "net", "ipc", "uts", "mnt"] {
        let namespace = |id: String| fs::read_link(format!("/proc/{id}/ns/{kind}")).expect("we may look");
        let [ours, first, second] =
            [std::process::id(), confined.child.id(), another.child.id()].map(|id| namespace(id.to_string()));
        assert!(ours != first && ours != second && first != second, "{kind}: {ours:?} {first:?} {second:?}");
    }
}

#[test]
fn strict_filters_no_privileges_and_the_first_process_of_its_namespace() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let id = confined.child.id();
    for (name, value) in [
        ("NoNewPrivs:", "1"),
        ("Seccomp:", "2"),
        ("Seccomp_filters:", "3"),
        ("CapEff:", "0000000000000000"),
        ("CapPrm:", "0000000000000000"),
        ("CapBnd:", "0000000000000000"),
        ("CapAmb:", "0000000000000000"),
    ] {
        assert_eq!(field(id, name), value, "{name}");
    }
    assert_eq!(field(free.child.id(), "Seccomp:"), "0", "so that the above says something");
    assert_eq!(field(id, "NSpid:"), format!("{id}\t1"));
}

#[test]
fn strict_each_has_a_user_of_its_own_if_root_starts_them() {
    let _watchdog = watchdog();
    let Some((confined, _)) = both(INTRUDER) else { return };
    let Some((another, _)) = both(INTRUDER) else { return };
    let users: BTreeSet<_> = [&confined, &another].map(|cell| field(cell.child.id(), "Uid:")).into();
    let own = Support::of_this_system().expect("there is room to try it").has(Layer::OwnUser);
    assert!(own || !root(), "root can give everybody an id");
    assert_eq!(users.len(), if own { 2 } else { 1 }, "{users:?}");
    assert!(!own || users.iter().all(|user| !user.starts_with("0\t")), "{users:?}");
    assert!(!root() || field(confined.child.id(), "Groups:").is_empty());
}

#[test]
fn strict_libraries_are_all_that_is_mounted_and_read_only() {
    let _watchdog = watchdog();
    let Some((confined, _)) = both(INTRUDER) else { return };
    assert_eq!(confined.tries(Attempt::Thread, ""), Ok("7".into()), "it has begun");
    let mounts = of(confined.child.id(), "mountinfo");
    let mut libraries = 0;
    for mount in mounts.lines() {
        let mut fields = mount.split_whitespace().skip(4);
        let (place, options) = (fields.next().expect("a place"), fields.next().expect("options"));
        assert!(options.split(',').any(|option| option == "ro"), "{mount}");
        if place != "/" {
            assert!(place.contains(".so"), "{mount}");
            libraries += 1;
        }
    }
    assert!((2..10).contains(&libraries), "{mounts}");
    let maps = of(confined.child.id(), "maps");
    assert!(maps.contains("libc.so"), "{maps}");
}
