//! How a confined component starts and ends.

use crate::INTRUDER;
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::both;
use portcullis_tests::watchdog::Watchdog;
use std::time::Duration;

#[test]
fn strict_a_component_is_called_at_once_and_ends_when_nobody_needs_it() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let Some((mut confined, _)) = both(INTRUDER) else { return };
    assert_eq!(confined.tries(Attempt::Thread, ""), Ok("7".into()));
    drop(confined.first);
    assert!(confined.child.wait().expect("it can be waited for").success());
}
