//! How components crash, and what comes of it.

use super::{member, runs};
use portcullis_component::sandbox::Support;
use portcullis_tests::composed::{Composed, route};

pub(super) fn attack_47_a_crash_loop_ends_with_the_crash_after_the_intensity_and_neighbours_go_on(
    composed: &Composed,
) {
    let text = member("crashes", "end 3", "restart = { intensity = 4, period = '1h' }")
        + &member("neighbour", "write", "heartbeat = '10s'")
        + &route("*", "log", "parent");
    composed.start(&text).expect("it is started");
    composed.until_said("stays stopped", 1);
    // It still runs, and nobody starts the other again meanwhile.
    let lines = composed.said("[neighbour]");
    composed.until_said("[neighbour]", lines + 20);
    assert_eq!((composed.starts("crashes"), composed.starts("neighbour")), (5, 1));
    assert_eq!(composed.said("init: crashes: crashed, with code 3; started anew"), 4);
    let last = "init: crashes: crashed, with code 3; stays stopped after 5 crashes within 3600s";
    assert_eq!(composed.said(last), 1);
    assert!(runs(composed.process("neighbour", 1)) && !runs(composed.process("crashes", 5)));
}

pub(super) fn scenario_26_fault_detection_a_segfault_is_seen_again_and_again(composed: &Composed) {
    let text = member("faulty", "fault", "restart = { intensity = 10, period = '1h' }")
        + &member("neighbour", "idle", "");
    composed.start(&(text + &route("*", "log", "parent"))).expect("it is started");
    composed.until_said("stays stopped", 1);
    assert_eq!(composed.said("init: faulty: crashed, by signal 11; started anew"), 10);
    assert_eq!(composed.said("init: faulty: crashed, by signal 11; stays stopped after 11 crashes"), 1);
    assert!(runs(composed.process("neighbour", 1)));
}

pub(super) fn scenario_27_who_gives_no_sign_of_life_is_started_anew_and_who_does_is_not(composed: &Composed) {
    let text = member("hangs", "hang", "heartbeat = '2s'\nrestart = { intensity = 2, period = '1h' }")
        + &member("alive", "write", "heartbeat = '2s'");
    composed.start(&(text + &route("*", "log", "parent"))).expect("it is started");
    composed.until_said("stays stopped", 1);
    assert_eq!(composed.starts("hangs"), 3);
    assert!(composed.said("[hangs] hangs") > 0, "it served before");
    assert_eq!(composed.said("init: hangs: crashed, without a sign of life within 2s"), 3);
    assert_eq!(composed.starts("alive"), 1);
    assert!(runs(composed.process("alive", 1)) && !runs(composed.process("hangs", 3)));
}

pub(super) fn sessions_of_a_server_that_crashed_are_errors_and_open_anew(composed: &Composed) {
    let text = member("server", "timer", "provides = ['timer']\nrestart = { intensity = 5, period = '1h' }")
        + &member("client", "probe", "")
        + &route("*", "log", "parent")
        + &route("client", "timer", "server");
    composed.start(&text).expect("it is started");
    for round in 1..=3 {
        composed.until_said("[client] timer served", round);
        assert_eq!(composed.said("[client] timer lost"), round - 1);
        let process =
            composed.process("server", round).try_into().ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(process.expect("it is there"), rustix::process::Signal::KILL)
            .expect("it is there");
        composed.until_said("[client] timer lost", round);
    }
    assert_eq!(composed.said("timer denied"), 0);
    assert_eq!(composed.starts("client"), 1);
}

/// By the filter, and not only by what its view lacks.
pub(super) fn who_is_confined_has_given_up_opening_files_before_it_begins(composed: &Composed) {
    if !Support::of_this_system().expect("there is room to try it").strict() {
        return;
    }
    composed.start(&(member("opens", "open", "") + &route("*", "log", "parent"))).expect("it is started");
    composed.until_said("[opens] opens: Err(Some(1))", 1);
}
