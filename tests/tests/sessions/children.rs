//! How children begin, live and end.

use super::COMPONENT;
use portcullis_component::host::{Exit, Host};
use portcullis_tests::tree::{ALL, EACH, Puppet, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::time::Duration;

#[test]
fn scenario_27_how_a_child_ended_is_known() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "seven", "puppet", EACH);
    tree.start(COMPONENT, "failing", "failing", EACH);
    tree.start(COMPONENT, "killed", "hung", EACH);
    tree.drive(|env| {
        let mut puppet = env.connect::<dyn Puppet>("seven", &()).expect("it is there");
        puppet.exit(7).expect("it is told");
    });
    tree.host.kill("killed");
    let over = |host: &Host| ["seven", "failing", "killed"].iter().all(|name| host.quota(name).is_none());
    tree.until(over);
    assert_eq!(tree.rules.ended("seven"), Some(Exit::Code(7)));
    assert_eq!(tree.rules.ended("failing"), Some(Exit::Code(1)));
    assert_eq!(tree.rules.ended("killed"), Some(Exit::Signal(9)));
    assert_eq!(tree.host.own_quota(), ALL);
}

#[test]
fn scenario_27_a_child_that_hangs_misses_its_heartbeats_and_another_does_not() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "alive", "puppet", EACH);
    tree.start(COMPONENT, "hung", "hung", EACH);
    for _ in 0..3 {
        tree.host.heartbeat();
        tree.until(|host| host.missed_heartbeats("alive") == Some(0));
    }
    assert_eq!(tree.host.missed_heartbeats("hung"), Some(3));
}

#[test]
fn a_child_ends_when_its_parent_does() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "inner", "inner", EACH);
    let nested = tree.drive(|env| {
        let mut puppet = env.connect::<dyn Puppet>("inner", &()).expect("the inner parent passes it on");
        puppet.process().expect("it answers")
    });
    tree.host.kill("inner");
    tree.until(|host| host.quota("inner").is_none());
    let is_gone = || !std::path::Path::new(&format!("/proc/{nested}/exe")).exists() || is_zombie(nested);
    tree.until(|_| is_gone());
}

fn is_zombie(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:\tZ"))
}
