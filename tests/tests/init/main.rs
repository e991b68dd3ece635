//! Compositions of real processes, run by `init`: at the root, and by a component that is `init` itself.

mod bomb;
mod change;
mod forwarding;
mod life;
mod memory;
mod whole;

use portcullis_tests::composed::{self, Composed, Place};
use portcullis_tests::watchdog::Watchdog;
use std::path::Path;
use std::time::Duration;

/// Makes each function a test in both places.
macro_rules! both {
    ($($module:ident: $($name:ident),+;)+) => {
        mod at_the_root {
            $($(#[test]
            fn $name() {
                let _watchdog = super::watchdog();
                super::$module::$name(&super::composed(super::Place::Root));
            })+)+
        }

        mod within_init {
            $($(#[test]
            fn $name() {
                let _watchdog = super::watchdog();
                super::$module::$name(&super::composed(super::Place::Within));
            })+)+
        }
    };
}

both! {
    life:
        attack_47_a_crash_loop_ends_with_the_crash_after_the_intensity_and_neighbours_go_on,
        scenario_26_fault_detection_a_segfault_is_seen_again_and_again,
        scenario_27_who_gives_no_sign_of_life_is_started_anew_and_who_does_is_not,
        sessions_of_a_server_that_crashed_are_errors_and_open_anew,
        who_is_confined_has_given_up_opening_files_before_it_begins;
    change:
        scenario_24_dynamic_config_the_counter_reaches_11,
        scenario_27_who_has_ended_stays_so_whatever_else_changes,
        scenario_27_a_chain_of_logs_whose_middle_restarts_goes_on,
        scenario_27_a_service_that_is_provided_no_more_ends_and_is_denied,
        scenario_27_a_budget_grows_and_shrinks_while_its_owner_runs,
        scenario_27_a_change_is_not_refused_for_what_earlier_ones_still_owe,
        scenario_27_a_client_that_is_removed_while_its_session_closes_leaves_nothing,
        a_session_waits_for_a_server_that_is_about_to_come;
    memory:
        attack_46_a_server_is_not_killed_for_what_was_donated_to_it;
    whole:
        no_component_of_a_composition_runs_if_one_of_them_cannot;
}

fn watchdog() -> Watchdog {
    Watchdog::start(Duration::from_secs(110))
}

fn composed(place: Place) -> Composed {
    Composed::new(place, env!("CARGO_BIN_EXE_composer"))
}

/// A component of the composition.
fn member(name: &str, role: &str, more: &str) -> String {
    composed::member(env!("CARGO_BIN_EXE_member"), name, role, more)
}

/// Whether a process runs. One that has ended and was not reaped yet does not.
fn runs(process: u32) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"));
    status.is_ok_and(|status| !status.lines().any(|line| line.starts_with("State:\tZ")))
}
