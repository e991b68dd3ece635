//! Children that begin and end, over and over. Alone in its process, since it counts what that holds.

use portcullis_component::Quota;
use portcullis_component::host::Host;
use portcullis_tests::resources::Resources;
use portcullis_tests::tree::{ALL, EACH, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::time::Duration;

const COMPONENT: &str = env!("CARGO_BIN_EXE_component");

#[test]
fn scenario_28_a_hundred_children_begin_and_end_and_nothing_is_left_of_them() {
    let _watchdog = Watchdog::start(Duration::from_secs(120));
    let tree = Tree::new();
    tree.start(COMPONENT, "logger", "logger", EACH);
    let round = |number: u32| {
        tree.start(COMPONENT, "child", "eager hello", EACH);
        // Some end by themselves, some are killed, wherever they are.
        if number.is_multiple_of(3) {
            tree.host.kill("child");
        }
        tree.until(|host| host.quota("child").is_none() && host.sessions() == 0);
        assert_eq!(
            (tree.host.quota("logger"), tree.host.own_quota()),
            (Some(EACH), ALL.checked_sub(EACH).unwrap_or(Quota::NONE))
        );
    };
    (0..10).for_each(round);
    let before = Resources::of_this_process();
    (10..100).for_each(round);
    // What the watcher closes it closes in its own time.
    let is_as_before = |_: &Host| {
        let now = Resources::of_this_process();
        now.descriptors <= before.descriptors && now.mappings <= before.mappings + 2
    };
    tree.until(is_as_before);
}
