//! One suite for both places of an entrypoint: what the producers and the handlers of signals may rely on, between real
//! processes and within one. The names begin with the line of the checklist that they stand for.

mod figure;
mod levels;
mod producers;
mod scenarios;

use portcullis_entrypoint::Error;
use portcullis_tests::station::{self, Host};

/// Where the entrypoint runs.
trait Place {
    /// Whether what a client holds is counted in rows: not within a process.
    const ROWS: bool;

    /// Starts a station there.
    fn start() -> Result<Host, Error>;
}

struct Processes;

impl Place for Processes {
    const ROWS: bool = true;

    fn start() -> Result<Host, Error> {
        Host::process(env!("CARGO_BIN_EXE_station"))
    }
}

struct Threads;

impl Place for Threads {
    const ROWS: bool = false;

    fn start() -> Result<Host, Error> {
        Host::thread(station::manage)
    }
}

/// What a test ends with.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// What no test takes, even on a machine under load.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

portcullis_tests::suite! {
    figure:
        fig6_setup_c1_one_entrypoint_takes_calls_and_signals_and_each_source_has_a_context,
        fig6_setup_c2_managing_a_handler_gives_a_signal_capability,
        fig6_setup_c3_the_signal_capability_is_delegated,
        fig6_use_c2_a_busy_handler_runs_at_least_once_after_any_number_of_submits,
        fig6_use_c3_an_idle_entrypoint_wakes_for_a_signal_or_a_call,
        g20_one_thread_waits_for_several_sources,
        g22_a_signal_has_no_payload,
        g33_a_signal_says_that_and_a_call_says_what;
    scenarios:
        scenario_signal_1_a_slow_handler_runs_after_the_last_submit,
        scenario_signal_2_a_flood,
        scenario_signal_3_two_receivers_in_any_order,
        scenario_signal_4_a_submit_after_dissolve_is_harmless,
        scenario_signal_5_dissolve_while_a_signal_is_in_delivery,
        scenario_signal_6_many_contexts_come_and_go,
        scenario_signal_7_a_handler_waits_for_io_and_nothing_else,
        scenario_signal_8_senders_and_receivers_deep_nesting,
        scenario_entrypoint_ends_with_what_was_not_dissolved,
        scenario_entrypoint_300_calls_that_wait_for_signals;
    levels:
        a_signal_for_an_object_that_waits_further_up_stays_pending,
        what_is_lent_must_be_the_object_itself,
        a_handler_that_panics_harms_nobody,
        a_handler_dissolves_its_own_context_or_object,
        an_object_without_an_interface_ends_with_its_last_context,
        a_wait_meets_its_deadline,
        a_dropped_context_frees_its_row,
        a_flood_of_signals_starves_no_call_and_a_flood_of_calls_no_signal,
        contexts_take_turns,
        every_signal_through_portals_that_fold_arrives;
}
