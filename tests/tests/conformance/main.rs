//! One suite for both transports: what an honest client and an honest server may rely on, between real processes and
//! within one. The names begin with the line of the checklist that they stand for.

mod budgets;
mod capabilities;
mod deadlines;
mod later;
mod messages;
mod servers;
mod tasks;

use portcullis_ipc::{Error, Limits};
use portcullis_tests::host::Host;

/// How the suite reaches the server's side.
trait Place {
    /// Whether what a client holds is counted in rows: not within a process, where a capability is an address.
    const ROWS: bool;

    /// Starts a peer there.
    fn start_with(limits: Limits) -> Result<Host, Error>;

    /// Starts a peer there, with default limits.
    fn start() -> Result<Host, Error> {
        Self::start_with(Limits::default())
    }
}

struct Processes;

impl Place for Processes {
    const ROWS: bool = true;

    fn start_with(limits: Limits) -> Result<Host, Error> {
        Host::process(env!("CARGO_BIN_EXE_peer"), limits)
    }
}

struct Threads;

impl Place for Threads {
    const ROWS: bool = false;

    fn start_with(limits: Limits) -> Result<Host, Error> {
        Host::thread(limits)
    }
}

/// What a test ends with.
type Outcome = Result<(), Error>;

/// What no test takes, even on a machine under load.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

portcullis_tests::suite! {
    messages:
        g2_data_travels_both_ways,
        g2_capabilities_travel_both_ways,
        g2_the_caller_blocks_until_the_return,
        g5_a_message_holds_1024_bytes_and_4_capabilities_at_once,
        g5_1025_bytes_or_5_capabilities_are_refused_before_anything_is_sent,
        g5_a_reply_is_held_to_the_same_size,
        g7_the_reply_replaces_the_receive_content_and_the_send_content_stays;
    capabilities:
        g3_delegation_gives_authority_and_nothing_else_does,
        g3_a_capability_means_nothing_to_another_server,
        g3_every_object_has_a_distinct_identity,
        g4_the_last_drop_frees_the_row,
        g4_more_drops_than_the_release_ring_holds_free_all_their_rows,
        g4_two_grants_of_one_object_share_a_row,
        g4_a_reference_held_by_a_third_party_counts,
        g9_creating_a_server_creates_its_own_callable_capability,
        a_capability_that_comes_home_is_recognised,
        dissolving_invalidates_everywhere_at_once,
        a_reply_with_a_dissolved_object_grants_nothing,
        a_dead_capability_is_passed_on_like_any_other,
        a_server_that_does_not_read_costs_no_third_party_its_channel;
    servers:
        g8_a_server_replies_and_waits_in_one_step,
        g8_many_clients_are_served,
        g8_the_reply_comes_out_of_a_second_buffer,
        a_server_that_ends_tells_its_callers,
        a_call_that_is_not_carried_out_says_why,
        g10_two_clients_are_the_same_to_the_server,
        more_threads_than_lanes_call_through_one_channel;
    later:
        g8_answers_are_given_later_and_in_any_order,
        a_dropped_caller_is_told,
        a_cancelled_calls_lane_comes_back,
        what_is_given_up_before_it_is_taken_is_not_carried_out,
        a_cancelled_calls_late_grant_is_given_back,
        a_caller_waits_for_a_cancelled_calls_lane;
    deadlines:
        a_call_meets_its_deadline,
        a_call_without_a_deadline_waits_longer_than_the_default,
        a_nested_call_never_exceeds_what_is_left_of_the_outer_one,
        what_a_call_waited_for_its_server_is_not_left_to_a_nested_one,
        a_nested_call_has_all_that_is_left_of_the_outer_one,
        a_wait_meets_its_deadline;
    tasks:
        a_task_is_answered,
        nothing_is_sent_before_the_first_poll,
        an_error_reaches_the_task,
        more_tasks_than_lanes_join,
        no_wake_up_is_lost,
        tasks_run_under_tokio,
        a_tasks_deadline_needs_no_timer,
        a_task_that_gets_no_lane_is_busy_at_its_deadline,
        dropped_calls_give_their_lanes_back,
        a_task_waits_for_a_cancelled_calls_lane,
        a_dropped_calls_late_grant_is_given_back,
        a_server_that_ends_tells_the_tasks,
        a_nested_task_never_exceeds_what_is_left_of_the_outer_call,
        a_call_goes_to_another_thread;
}
