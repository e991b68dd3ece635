//! One suite for both places of an entrypoint: what its clients may rely on, from another process and from another
//! thread. The names begin with the line of the checklist that they stand for.

mod attacks;
mod create;
mod cycles;
mod holders;
mod inside;
mod interfaces;
mod invoke;

use portcullis_entrypoint::Error;
use portcullis_tests::workshop::{self, Host};

/// Where the entrypoint runs.
trait Place {
    /// Whether what a client holds is counted in rows: not within a process.
    const ROWS: bool;

    /// Starts a workshop there.
    fn start() -> Result<Host, Error>;
}

struct Processes;

impl Place for Processes {
    const ROWS: bool = true;

    fn start() -> Result<Host, Error> {
        Host::process(env!("CARGO_BIN_EXE_workshop"))
    }
}

struct Threads;

impl Place for Threads {
    const ROWS: bool = false;

    fn start() -> Result<Host, Error> {
        Host::thread(workshop::manage)
    }
}

/// What a test ends with.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// What no test takes, even on a machine under load.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

portcullis_tests::suite! {
    create:
        fig4_c1_any_number_of_objects_of_any_types,
        fig4_c2_each_object_has_an_identity_of_its_own_with_the_same_destination,
        fig4_c3_the_capability_has_the_interfaces_type,
        fig4_c4_delegation_gives_authority_and_nothing_before,
        g16_the_pool_leads_from_names_to_objects;
    invoke:
        fig5_c1_the_entrypoint_wakes_for_the_object_that_is_called,
        fig5_c2_a_name_without_an_object_is_an_error_reply,
        fig5_c3_the_opcode_chooses_the_method,
        fig5_c4_it_replies_and_is_ready_for_the_next,
        fig5_c5_the_client_resumes_with_the_results,
        a_method_answers_later_while_others_are_served,
        a_task_calls_every_kind_of_method;
    interfaces:
        g11_an_interface_is_a_trait_and_code_for_it_runs_here_and_there,
        g12_opcodes_follow_the_declaration_and_arguments_go_both_ways,
        g13_a_capability_has_the_type_of_its_interface_and_its_client_is_a_proxy,
        g14_a_session_is_an_object_and_a_connection_its_arguments_and_a_client,
        g15_a_capability_goes_where_one_of_its_base_goes;
    inside:
        a_method_manages_and_delegates_new_objects,
        a_method_dissolves_its_own_object,
        a_method_dissolves_others_whose_drops_wait,
        a_method_applies_to_what_came_home_and_not_to_itself,
        a_method_panics_and_the_entrypoint_lives_on,
        a_method_calls_another_entrypoint;
    cycles:
        attack_13_a_call_that_comes_back_is_a_call_cycle,
        attack_13_a_call_to_its_own_entrypoint_is_a_call_cycle,
        attack_13_two_that_call_each_other_at_once_are_a_call_cycle,
        calls_that_do_not_come_back_are_no_cycle;
    holders:
        an_object_learns_that_nobody_holds_it_any_more,
        every_holder_counts,
        what_was_lent_is_taken_back_from_everybody;
    attacks:
        attack_3_what_no_method_understands_is_an_error_reply,
        attack_4_bombs_of_lists_cost_no_more_than_their_bytes,
        attack_6_a_capability_of_another_interface_is_an_error_reply,
        attack_6_capability_slots_that_lie_are_an_error_reply;
}
