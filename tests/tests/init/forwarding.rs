//! Sessions that a composition's parent asks for.

use super::{composed, member, watchdog};
use portcullis_tests::composed::{Composed, INNER, Place, route, within};

/// A client at the root, whose timer is to come from within `inner`.
fn outer(inner: &str) -> String {
    within(INNER, env!("CARGO_BIN_EXE_composer"), inner)
        + &member("client", "probe", "")
        + &route("client", "timer", INNER)
        + &route("client", "log", "parent")
}

fn server(role: &str) -> String {
    member("server", role, "provides = ['timer']") + &route("*", "log", "parent")
}

fn start(inner: &str) -> Composed {
    let composed = composed(Place::Root);
    composed.start(&outer(inner)).expect("it is started");
    composed
}

#[test]
fn scenario_27_a_session_is_forwarded_into_a_composition_and_served() {
    let _watchdog = watchdog();
    let composed = start(&(server("timer") + &route("parent", "timer", "server")));
    composed.until_said("[client] timer served", 1);
    // Now it leads nowhere.
    composed.change(&outer(&(server("timer") + &route("parent", "timer", "denied"))));
    composed.until_said("[client] timer denied", 1);
    assert_eq!(
        (composed.said("[client] timer lost"), composed.starts("server"), composed.starts(INNER)),
        (1, 1, 1)
    );
}

#[test]
fn scenario_27_a_session_is_forwarded_into_a_composition_and_denied() {
    let _watchdog = watchdog();
    // Others of its components may have it, and the parent is none of them.
    let denies = server("timer") + &route("*", "timer", "server") + &route("parent", "timer", "denied");
    let serves = server("timer") + &route("parent", "timer", "server");
    let composed = start(&serves);
    composed.until_said("[client] timer served", 1);
    composed.change(&outer(&denies));
    composed.until_said("[client] timer denied", 1);
    composed.change(&outer(&serves));
    composed.until_said("[client] timer served", 2);
}

#[test]
fn scenario_27_a_session_is_forwarded_into_a_composition_and_stalls_until_it_is_served() {
    let _watchdog = watchdog();
    let with = |role: &str| outer(&(server(role) + &route("parent", "timer", "server")));
    let composed = composed(Place::Root);
    composed.start(&with("idle")).expect("it is started");
    // The server runs and announces nothing: the client waits, and is told nothing.
    composed.until(|composed| {
        let waits =
            |session: portcullis_component::host::OpenSession| session.client == "client" && !session.is_open;
        composed.init.sessions().into_iter().any(waits)
    });
    assert_eq!(composed.said("[client]"), 0);
    composed.change(&with("timer"));
    composed.until_said("[client] timer ", 1);
    assert_eq!(composed.said("[client] timer denied"), 0, "{:?}", composed.lines());
}
