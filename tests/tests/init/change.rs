//! What a change of the composition changes, and what it leaves alone.

use super::{member, runs};
use portcullis_tests::composed::{Composed, route};

fn logs() -> String {
    route("*", "log", "parent")
}

pub(super) fn scenario_24_dynamic_config_the_counter_reaches_11(composed: &Composed) {
    let with = |counter: u32| {
        member("counter", "follow", &format!("config = {{ counter = {counter} }}"))
            + &member("other", "write", "")
            + &logs()
    };
    composed.start(&with(0)).expect("it is started");
    composed.until_said("[counter] counter = 0;", 1);
    let processes = (composed.process("counter", 1), composed.process("other", 1));
    for counter in 1..=11 {
        composed.change(&with(counter));
        composed.until_said(&format!("[counter] counter = {counter};"), 1);
    }
    assert_eq!((composed.process("counter", 1), composed.process("other", 1)), processes);
    assert!(runs(processes.0) && runs(processes.1));
}

pub(super) fn scenario_27_who_has_ended_stays_so_whatever_else_changes(composed: &Composed) {
    let with = |counter: u32, more: &str| {
        member("ends", "end 0", "")
            + &member("given-up", "end 7", "")
            + &member("stays", "follow", &format!("config = '{counter}'"))
            + more
            + &logs()
    };
    composed.start(&with(0, "")).expect("it is started");
    composed.until(|composed| {
        composed.said("init: ends: ended") == 1 && composed.said("init: given-up: crashed") == 1
    });
    let process = composed.process("stays", 1);
    composed.change(&with(1, ""));
    composed.until_said("[stays] 1", 1);
    composed.change(&with(2, &member("new", "follow", "config = 'new'")));
    composed.until(|composed| composed.said("[stays] 2") == 1 && composed.said("[new] new") == 1);
    assert_eq!((composed.starts("ends"), composed.starts("given-up"), composed.starts("stays")), (1, 1, 1));
    assert!(runs(process));
    // Only who is another one now begins again.
    let ends_anew = with(2, "").replace("'end', '7'", "'end', '8'");
    composed.change(&ends_anew);
    composed.until_said("init: given-up: crashed, with code 8", 1);
    assert_eq!((composed.starts("ends"), composed.starts("given-up"), composed.starts("stays")), (1, 2, 1));
}

pub(super) fn scenario_27_a_chain_of_logs_whose_middle_restarts_goes_on(composed: &Composed) {
    let with = |middle: &str| {
        member("top", "relay top", "provides = ['log']")
            + &member("middle", &format!("relay {middle}"), "provides = ['log']")
            + &member("writer", "write", "")
            + &route("writer", "log", "middle")
            + &route("middle", "log", "top")
            + &route("top", "log", "parent")
    };
    composed.start(&with("first")).expect("it is started");
    composed.until_said("[top] middle says top writer says first line", 3);
    let processes = (composed.process("top", 1), composed.process("writer", 1));
    composed.change(&with("second"));
    composed.until_said("[top] middle says top writer says second line", 3);
    assert_eq!((composed.process("top", 1), composed.process("writer", 1)), processes);
    composed.until(|composed| composed.starts("middle") == 2);
    assert_eq!(composed.said("denied"), 0);
    assert!(runs(processes.0) && runs(processes.1));
    // The end of the chain is another one, and so the beginning is cut off it and finds it again.
    composed.change(&with("second").replace("'relay', 'top'", "'relay', 'roof'"));
    composed.until_said("[top] middle says roof writer says second line", 3);
    composed.until(|composed| composed.starts("top") == 2);
    assert_eq!((composed.starts("middle"), composed.starts("writer")), (2, 1));
}

pub(super) fn scenario_27_a_service_that_is_provided_no_more_ends_and_is_denied(composed: &Composed) {
    let with = |provides: &str| {
        member("server", "timer", &format!("provides = [{provides}]"))
            + &member("client", "probe", "")
            + &logs()
            + &route("client", "*", "server")
    };
    composed.start(&with("'other', 'timer'")).expect("it is started");
    composed.until_said("[client] timer served", 1);
    composed.change(&with("'other'"));
    composed.until_said("[client] timer denied", 1);
    assert_eq!(composed.said("[client] timer lost"), 1);
    composed.change(&with("'timer'"));
    composed.until_said("[client] timer served", 2);
    composed.until(|composed| (composed.starts("server"), composed.starts("client")) == (1, 1));
}

pub(super) fn scenario_27_a_budget_grows_and_shrinks_while_its_owner_runs(composed: &Composed) {
    const MIB: u64 = 1 << 20;
    let with = |ram: u64, caps: u64, config: &str| {
        let more = format!("ram = {ram}\ncaps = {caps}\nconfig = '{config}'");
        member("rich", &format!("budget {MIB}"), &more) + &route("rich", "*", "parent")
    };
    // What its sessions take of its budget, as it says at first.
    composed.start(&with(2 * MIB, 100, "keep")).expect("it is started");
    composed.until_said("[rich] has ", 1);
    let first = composed
        .lines()
        .iter()
        .find_map(|line| line.strip_prefix("[rich] has ").map(str::to_owned))
        .expect("it is there");
    let (ram, caps) = first.split_once(" and ").expect("it is there");
    let (ram, caps): (u64, u64) = (ram.parse().expect("it is there"), caps.parse().expect("it is there"));
    assert!(ram < MIB && caps < 90, "a session has some of it: {first}");
    let says = |ram: u64, caps: u64| format!("[rich] has {ram} and {caps}");
    composed.change(&with(5 * MIB, 150, "keep"));
    composed.until_said(&says(ram + 3 * MIB, caps + 50), 1);
    composed.change(&with(2 * MIB, 100, "keep"));
    composed.until_said(&says(ram, caps), 2);
    // More is taken than it has: it owes the rest, and what comes back from the session pays that.
    composed.change(&with(MIB, 100, "keep"));
    composed.until_said(&says(0, caps), 1);
    composed.change(&with(MIB, 100, "close"));
    composed.until_said(&says(ram, caps + 10), 1);
    assert_eq!(composed.starts("rich"), 1);
}

/// Of what there is, nearly all that a composition within another one has is owed by somebody who has spent it.
pub(super) fn scenario_27_a_change_is_not_refused_for_what_earlier_ones_still_owe(composed: &Composed) {
    let with = |spends: &str, waits: &str, counter: u32| {
        member("spends", "budget 838860800", &format!("ram = '{spends}'\nconfig = 'keep'"))
            + &member("waits", "follow", &format!("ram = '{waits}'\nconfig = '{counter}'"))
            + &route("*", "*", "parent")
    };
    let given = composed.init.given();
    composed.start(&with("900M", "100M", 1)).expect("it is started");
    composed.until(|composed| composed.said("[spends] has ") == 1 && composed.said("[waits] 1") == 1);
    for counter in 2..=3 {
        composed.change(&with("100M", "900M", counter));
        composed.until_said(&format!("[waits] {counter}"), 1);
        assert_eq!(composed.init.given(), given);
    }
    composed.change(&with("900M", "100M", 4));
    composed.until_said("[waits] 4", 1);
    assert_eq!((composed.starts("spends"), composed.starts("waits")), (1, 1));
}

pub(super) fn scenario_27_a_client_that_is_removed_while_its_session_closes_leaves_nothing(
    composed: &Composed,
) {
    let with = |config: &str, client: &str| {
        member("server", "hold", &format!("provides = ['timer']\nconfig = '{config}'"))
            + client
            + &logs()
            + &route("*", "timer", "server")
    };
    let client = member("client", "brief", "");
    composed.start(&with("hold", &client)).expect("it is started");
    composed.until_said("[client] closes", 1);
    let (server, gone) = (composed.process("server", 1), composed.process("client", 1));
    composed.change(&with("hold", ""));
    composed.until_said("init: client: stopped", 1);
    // Its session is still being closed when another one of its name begins; and that gets one of its own, later.
    composed.change(&with("hold", &client));
    assert_ne!(composed.process("client", 2), gone);
    composed.change(&with("close", &client));
    composed.until_said("[client] closes", 2);
    composed.change(&with("close", ""));
    composed.until_said("init: client: stopped", 2);
    composed.until(|composed| composed.init.sessions().iter().all(|session| session.service != "timer"));
    assert!(runs(server) && composed.starts("server") == 1);
}

/// Its client asks while the server's process is another one already that does not run yet.
pub(super) fn a_session_waits_for_a_server_that_is_about_to_come(composed: &Composed) {
    let with = |role: &str| {
        member("server", role, "provides = ['timer']")
            + &member("client", "probe", "")
            + &logs()
            + &route("client", "timer", "server")
    };
    composed.start(&with("idle 0")).expect("it is started");
    composed.until(|composed| composed.starts("server") == 1);
    for round in 1..=3 {
        composed.change(&with(&format!("timer {round}")));
        composed.until_said("[client] timer served", round);
    }
    assert_eq!(composed.said("timer denied"), 0);
    composed.until(|composed| composed.starts("server") == 4);
    assert_eq!(composed.starts("client"), 1);
}
