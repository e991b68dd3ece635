//! Compositions as a whole.

use super::{composed as new, member, runs, watchdog};
use portcullis_component::Quota;
use portcullis_init::Composition;
use portcullis_tests::composed::{self, Composed, INNER, Place, route};
use portcullis_tests::resources::wake_ups;

pub(super) fn no_component_of_a_composition_runs_if_one_of_them_cannot(composed: &Composed) {
    let script =
        std::env::temp_dir().join(format!("portcullis-script-{}-{:p}", std::process::id(), composed));
    std::fs::write(&script, "#!/bin/sh\n").expect("it is there");
    let good = member("good", "write", "");
    let no_program = composed::member(script.to_str().expect("it is there"), "bad", "none", "");
    let started = composed.start(&(good.clone() + &no_program + &route("*", "log", "parent")));
    std::fs::remove_file(&script).expect("it is there");
    match started {
        Err(error) => assert!(error.to_string().contains("is no 64-bit ELF executable"), "{error}"),
        // At the root there is `init`, and it ends.
        Ok(()) => composed.until_said("init: inner: crashed, with code 1", 1),
    }
    assert_eq!((composed.starts("good"), composed.said("[good]")), (0, 0));
}

#[test]
fn a_wrong_configuration_of_init_changes_nothing_and_is_said() {
    let _watchdog = watchdog();
    let composed = new(Place::Within);
    let with = |counter: u32, more: &str| {
        member("stays", "follow", &format!("config = '{counter}'")) + more + &route("*", "log", "parent")
    };
    composed.start(&with(1, "")).expect("it is started");
    composed.until_said("[stays] 1", 1);
    let process = composed.process("stays", 1);
    // To the root it is a table like any other.
    composed.change(&with(2, "[[component]]\nname = 'nothing'\n"));
    composed.until_said("component.binary: found no such key", 1);
    composed.change(&with(3, ""));
    composed.until_said("[stays] 3", 1);
    assert_eq!((composed.said("[stays] 2"), composed.starts("stays"), composed.starts("nothing")), (0, 1, 0));
    assert!(runs(process));
}

#[test]
fn what_the_root_gives_is_what_a_composition_may_ask_for() {
    let composed = new(Place::Root);
    let given = composed.init.given();
    let file = |ram: &str| member("one", "idle", &format!("ram = '{ram}'"));
    assert!(Composition::parse_within(file("1G"), &given).is_ok());
    assert!(Composition::parse_within(file("1025G"), &given).is_err());
}

/// It has spent that on memory of its own, so that there is not even a session.
#[test]
fn who_cannot_be_started_for_what_another_one_owes_waits_for_it() {
    const MIB: u64 = 1 << 20;
    let _watchdog = watchdog();
    let composed = Composed::of(Quota::new(12 * MIB, 1_000), Place::Root, env!("CARGO_BIN_EXE_composer"));
    let uses = |ram: u64| member("uses", &format!("use {}", 6 * MIB), &format!("ram = {}", ram * MIB));
    let late = member("late", "idle", "ram = '8M'");
    composed.start(&uses(8)).expect("it is started");
    composed.until(|composed| composed.init.state().components[0].ram_left < 2 * MIB);
    composed.change(&(uses(1) + &late));
    let life = |composed: &Composed| composed.init.state().components.last().map(|component| component.life);
    assert_eq!(life(&composed), Some("waits"));
    composed.change(&late);
    composed.until(|composed| composed.starts("late") == 1);
    assert_eq!(life(&composed), Some("runs"));
}

#[test]
fn a_component_that_is_routed_to_it_reads_how_the_composition_is() {
    let _watchdog = watchdog();
    let composed = new(Place::Root);
    let with = |more: &str| {
        member("sees", "see", "ram = '4M'")
            + more
            + &route("*", "log", "parent")
            + "[[route]]\nfrom = 'sees'\nservice = 'rom'\nlabel = 'state'\nto = 'parent'\n"
            + &route("*", "timer", "parent")
    };
    composed.start(&with("")).expect("it is started");
    composed.until_said(r#"[sees] {"components":[{"name":"sees","life":"runs""#, 1);
    composed.change(&with(&member("client", "probe", "")));
    composed.until_said(r#""client":"client","service":"timer","label":[],"server":"parent","open":true"#, 1);
    composed.change(&with(&member("client", "end 5", "")));
    composed.until_said(r#""name":"client","life":"stays stopped","process":null,"starts":1,"code":5"#, 1);
    // Who is not routed to it does not.
    composed.change(&with(&member("client", "see", "")));
    composed.until_said("init: client: denied a session of rom, label state", 1);
}

/// The process that runs the composition and those of its components, all of their threads.
#[test]
fn a_system_of_50_components_that_idles_wakes_up_for_nothing() {
    let _watchdog = watchdog();
    let composed = new(Place::Within);
    let names: Vec<String> = (0..49).map(|number| format!("idle-{number}")).collect();
    // Each has a session of another one, and a configuration that it would be told of.
    let mut text = member("timer", "timer", "caps = 100\nprovides = ['timer']")
        + &route("*", "log", "parent")
        + &route("*", "timer", "timer");
    names.iter().for_each(|name| text += &member(name, "wait", "config = 'idle'"));
    composed.start(&text).expect("it is started");
    composed.until(|composed| composed.said("] waits for idle") == names.len());
    let of = |name: &str| composed.process(name, 1);
    let mut processes: Vec<u32> = names.iter().map(|name| of(name)).chain([of("timer"), of(INNER)]).collect();
    processes.sort_unstable();
    processes.dedup();
    assert_eq!(processes.len(), 51);
    assert_eq!(wake_ups(&processes), 0);
    // And it is not that nobody is there.
    composed.change(&text.replace("'idle'", "'work'"));
    composed.until(|composed| composed.said("] waits for work") == names.len());
}
