//! Compositions within compositions: read with the file that they are in, whoever they would be run by.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

use portcullis_init::{Composition, Given, Name, Problem, Severity, limits};
use std::os::unix::fs::PermissionsExt;

/// A component with that configuration, of which the routes of `more` are for all that it asks for.
fn composing(name: &str, config: &str, more: &str) -> String {
    format!(
        "[[component]]\nname = '{name}'\nbinary = 'bin/portcullis-init'\nram = '1M'\ncaps = 100\nconfig = {config}\n{more}\n"
    )
}

const INNER: &str =
    "[[component]]\nname = 'x'\nbinary = 'bin/x'\nram = '512K'\ncaps = 10\nprovides = ['S']\n";

/// A text as a string that is written as it is.
fn literal(text: &str) -> String {
    format!("'''\n{text}'''")
}

/// All that is said of a file, whether it is right or not.
fn said(file: &str) -> Vec<Problem> {
    match Composition::parse(file) {
        Ok(composition) => composition.warnings().to_vec(),
        Err(problems) => problems.list().to_vec(),
    }
}

fn lines(file: &str) -> Vec<String> {
    said(file).iter().map(Problem::to_string).collect()
}

#[test]
fn what_is_wrong_within_is_said_with_its_place_in_the_file_and_the_names_that_lead_there() {
    let wrong = INNER.replace("'512K'", "'512KB'");
    let expected = "component.ram: found \"512KB\", expected a size of one byte at least: 4096, \"512K\", \"4M\" or \"2G\"; did you mean \"512K\"?";
    // As a table, as a string that is written as it is, and as one in which nothing has a place of its own.
    let table = wrong.replace("[[component]]", "[[component.config.component]]");
    let table = composing("outer", "", &table).replace("config = \n", "");
    assert_eq!(lines(&table), [format!("9:7: error: outer: {expected}")]);
    let string = composing("outer", &literal(&wrong), "");
    assert_eq!(lines(&string), [format!("10:7: error: outer: {expected}")]);
    let escaped = composing("outer", &format!("{wrong:?}"), "");
    assert_eq!(lines(&escaped), [format!("6:10: error: outer: {expected}")]);
    // And within that within another one.
    let twice = composing("first", &literal(&composing("second", &format!("{wrong:?}"), "")), "");
    let twice = twice.replacen("'1M'", "'2M'", 1);
    assert_eq!(lines(&twice), [format!("12:10: error: first -> second: {expected}")]);
    assert_eq!(said(&twice)[0].within.iter().map(Name::as_str).collect::<Vec<_>>(), ["first", "second"]);
}

#[test]
fn what_is_no_toml_within_spoils_the_whole_file() {
    let file = composing("outer", &literal("[[component]]\nname = 'x\n"), "");
    let [line] = &lines(&file)[..] else { panic!("{:?}", lines(&file)) };
    assert!(line.starts_with("8:10: error: outer: invalid literal string"), "{line}");
}

#[test]
fn another_program_is_configured_with_what_it_likes() {
    for config in [literal("no TOML"), "{ component = 1 }".into(), literal(&INNER.replace("10", "0"))] {
        let file = composing("outer", &config, "");
        assert_eq!(said(&file).len(), 1, "{file}");
        assert!(Composition::parse(file.replace("portcullis-init", "init")).unwrap().warnings().is_empty());
    }
}

#[test]
fn budgets_within_are_held_against_that_of_the_component() {
    assert!(lines(&composing("outer", &literal(INNER), "")).is_empty());
    let large = INNER.replace("'512K'", "'2M'").replace("10", "101");
    assert_eq!(
        lines(&composing("outer", &literal(&large), "")),
        [
            "10:7: error: outer: component.ram: found 2M, expected 1M at most: the parent gives 1M",
            "11:8: error: outer: component.caps: found 101, expected 100 at most: the parent gives 100"
        ]
    );
}

/// What is said of an inner composition that asks its parent for `log`, with these routes around it.
fn asks_for_log(routes: &str) -> Vec<String> {
    let asks = format!("{INNER}[[route]]\nservice = 'log'\nto = 'parent'\n");
    let log = "[[component]]\nname = 'log'\nbinary = 'bin/log'\nram = '1M'\ncaps = 10\nprovides = ['log']\n";
    lines(&composing("outer", &literal(&asks), &format!("{log}{routes}")))
}

#[test]
fn what_is_asked_of_the_parent_is_held_against_the_routes_around() {
    let route = |service: &str, more: &str, to: &str| {
        format!("[[route]]\nservice = '{service}'\nto = '{to}'\n{more}\n")
    };
    for routes in [
        route("log", "", "log"),
        route("log", "from = 'outer'\nlabel = 'x'", "parent"),
        route("*", "", "log"),
        // Of the parent of all it is not known what it has.
        route("*", "", "parent"),
        route("log", "label = 'y'", "denied") + &route("log", "", "log"),
        route("log", "", "log") + &route("*", "", "denied"),
    ] {
        assert_eq!(asks_for_log(&routes), [""; 0], "{routes}");
    }
    for (routes, routed) in [
        (String::new(), "none"),
        (route("log", "from = 'log'", "parent"), "none"),
        (route("timer", "", "parent"), "timer"),
        (route("log", "from = 'outer'", "denied") + &route("*", "", "log"), "none"),
        (route("*", "from = 'outer'", "denied") + &route("log", "", "log"), "none"),
    ] {
        assert_eq!(
            asks_for_log(&routes).first().map(String::as_str),
            Some(&*format!(
                "14:11: warning: outer: route.service: found \"log\", expected a service that outer is routed to: {routed}"
            )),
            "{routes}"
        );
    }
    // What a route that is wrong was meant to be for is not known.
    let wrong = asks_for_log("[[route]]\nservcie = 'log'\nto = 'log'\n");
    assert!(
        wrong
            .iter()
            .all(|line| line.contains("error: route: found ")
                || line.contains("error: route.service: found no")),
        "{wrong:?}"
    );
}

/// What the root has is known to who runs a file, and with that what it has for those within.
#[test]
fn what_the_root_has_is_what_a_route_for_all_leads_to() {
    let asks = format!("{INNER}[[route]]\nservice = 'magic'\nto = 'parent'\n");
    let file = composing("outer", &literal(&asks), "[[route]]\nservice = '*'\nto = 'parent'\n");
    let services = |names: &[&str]| Given {
        services: Some(names.iter().map(|name| name.parse().unwrap()).collect()),
        ..Given::default()
    };
    let warnings = |given| Composition::parse_within(&file, &given).unwrap().warnings().len();
    assert_eq!((warnings(services(&["log", "magic"])), warnings(services(&["log"]))), (0, 1));
}

/// As deep as it can be written: tables in tables as far as the parser goes, in strings in tables.
fn nested(depth: usize) -> String {
    const OF_TABLES: usize = 15;
    let component =
        |config: &str| format!("component=[{{name='a',binary='portcullis-init',ram=1,caps=1{config}}}]");
    let mut text = component("");
    for level in 1..=depth {
        text = match level % OF_TABLES {
            0 => component(&format!(",config={}", quoted(&text))),
            _ => component(&format!(",config={{{text}}}")),
        };
    }
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[test]
fn compositions_are_within_one_another_up_to_a_limit() {
    assert_eq!(lines(&nested(limits::MOST_NESTED)), [""; 0]);
    for depth in [limits::MOST_NESTED + 1, limits::MOST_NESTED + 8] {
        let problems = said(&nested(depth));
        let [Problem { severity: Severity::Error, key, found, expected, within, .. }] = &problems[..] else {
            panic!("{problems:?}")
        };
        assert_eq!(
            (&**key, &**found, &**expected),
            ("component.config", "a composition within 65 others", "64 at most")
        );
        assert_eq!(within.len(), limits::MOST_NESTED);
    }
}

#[test]
fn binaries_within_are_looked_for_where_the_root_starts_them() {
    let directory = tempfile::tempdir().unwrap();
    let executable = |name: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    };
    executable("bin/portcullis-init");
    let spawn = "[[route]]\nservice = 'spawn'\nto = 'parent'\n";
    let check = |file: &str| match Composition::parse(file).unwrap().check_binaries(directory.path()) {
        Ok(()) => Vec::new(),
        Err(problems) => problems.list().iter().map(Problem::to_string).collect::<Vec<_>>(),
    };
    let file = composing("outer", &literal(INNER), spawn);
    let [line] = &check(&file)[..] else { panic!("{:?}", check(&file)) };
    let path = directory.path().join("bin/x");
    assert!(
        line.starts_with(&format!("9:10: error: outer: component.binary: found {path:?}, expected")),
        "{line}"
    );
    // Whoever starts them himself has a directory of his own.
    assert!(check(&composing("outer", &literal(INNER), "")).is_empty());
    assert!(check(&file.replace("to = 'parent'", "to = 'denied'")).is_empty());
    // Within another one: all on the way must be led there.
    let led = composing(
        "first",
        &literal(&composing("second", &literal(INNER).replace("'''", "\"\"\""), spawn)),
        spawn,
    );
    let led = led.replacen("'1M'", "'2M'", 1);
    assert!(check(&led)[0].contains("error: first -> second: component.binary"), "{:?}", check(&led));
    assert!(check(&led.replacen(spawn, "", 1)).is_empty());
    // The argument says where paths begin.
    executable("lib/bin/x");
    assert!(check(&format!("{}args = ['lib']\n{spawn}", composing("outer", &literal(INNER), ""))).is_empty());
    executable("bin/x");
    assert!(check(&file).is_empty() && check(&led).is_empty());
}
