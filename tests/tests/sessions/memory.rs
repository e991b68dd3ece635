//! Memory of a component's own, on its own budget.

use super::{COMPONENT, all_but};
use portcullis_component::host::Wish;
use portcullis_component::{Connection, Env, Error, Quota};
use portcullis_shm::{RamQuota, Window};
use portcullis_tests::resources::eventually;
use portcullis_tests::tree::{EACH, Puppet, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::time::Duration;

/// What the parent of `owner` has left to give when that has used so much itself.
fn left(used: u64) -> Quota {
    EACH.checked_sub(Quota::new(used, 0)).expect("it has as much")
}

fn owner(env: &Env) -> Connection<dyn Puppet> {
    env.connect::<dyn Puppet>("owner", &()).expect("it is there")
}

#[test]
fn g30_a_component_allocates_on_its_own_budget_and_what_it_frees_can_be_spent_again() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.rules.wishes(Wish::Refused);
    tree.start(COMPONENT, "owner", "puppet", EACH);
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.rules.route("owner", "log", portcullis_component::host::Route::to("logger"));
    tree.drive(|env| {
        let mut owner = owner(env);
        // Its session's donation is its own for as long as that lasts; it is not what is asked for here.
        let before = owner.budget().expect("it answers");
        let used = |bytes| before.checked_sub(Quota::new(bytes, 0));
        let capability = owner.allocate(500_000).expect("it has as much");
        let attached = capability.attach(Window::WHOLE).expect("it is a dataspace");
        attached.copy_from(499_995, b"hello").expect("it can be written");
        // 123 pages and the owner's.
        assert_eq!(owner.budget().ok(), used(124 * 4096));

        // What it uses it cannot donate, and beyond that it has nothing.
        let most = owner.budget().expect("it answers");
        let beyond = most.checked_add(Quota::new(1, 0)).expect("there are numbers");
        let refused = owner.open("rich", Some(beyond));
        assert_eq!(refused, Err(Error::OutOfRam { missing: RamQuota::bytes(1) }));
        let refused = owner.allocate(2 << 20).map(drop);
        assert!(matches!(refused, Err(Error::OutOfRam { .. })), "{refused:?}");
        assert!(attached.is_revoked(), "what it had before it gave up for that");
        assert_eq!(owner.budget(), Ok(before));

        // What it has freed goes into a session without anybody being asked.
        owner.allocate(900_000).expect("it has as much");
        owner.free().expect("it is told");
        let log = owner.open("rich", Some(Quota::new(900_000, 4))).expect("it has as much");
        owner.close(log).expect("it is open");
        assert_eq!(owner.budget(), Ok(before));
    });
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.host.quota("owner"), Some(EACH));
}

#[test]
fn g30_what_a_component_used_is_its_parents_when_it_is_killed() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "owner", "puppet", EACH);
    tree.drive(|env| owner(env).allocate(500_000).map(drop).expect("it has as much"));
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.host.quota("owner"), Some(left(124 * 4096)), "the session is closed, the memory is not");
    tree.host.kill("owner");
    tree.until(|host| host.quota("owner").is_none());
    assert_eq!(tree.host.own_quota(), all_but(0));
}

#[test]
fn scenario_16_an_allocation_beyond_the_budget_recovers_when_the_parent_grants_more() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.rules.wishes(Wish::Granted);
    tree.start(COMPONENT, "owner", "puppet", EACH);
    tree.drive(|env| {
        let capability = owner(env).allocate(3 << 20).expect("it is granted");
        assert!(eventually(|| capability.import().is_err()), "it ended with its session");
    });
    tree.until(|host| host.sessions() == 0);
    // It took nothing of what was donated to it: so it owes nobody. What was granted it has still.
    assert_eq!(tree.host.debt("owner"), Some(Quota::NONE));
    assert_eq!(tree.host.quota("owner"), Some(Quota { caps: EACH.caps, ..Quota::NONE }));
    tree.drive(|env| {
        let left = owner(env).budget().expect("it answers");
        assert!(left.ram >= RamQuota::bytes((3 << 20) + 4096), "{left}");
    });
}
