//! What a composition file may say, and that all of it is checked whatever the bytes are.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod support;

use portcullis_init::{
    CapQuota, Composition, Given, Intensity, Problems, RamQuota, Sandbox, Severity, limits,
};
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use support::{file, service};

const COMPONENT: &str = "[[component]]\nname = 'a'\nbinary = 'a'\nram = 4096\ncaps = 10\n";

/// The one problem of a file.
fn problem(file: &str) -> String {
    let problems = Composition::parse(file).unwrap_err();
    assert_eq!(problems.list().len(), 1, "{problems}");
    problems.to_string()
}

#[test]
fn everything_that_a_component_has() {
    let file = r#"
        [[component]]
        name = "a"
        binary = "/bin/a"
        args = ["-x", ""]
        ram = "512K"
        caps = 0x10
        provides = ["S", "T"]
        config = { b = [1, 2.5, true], a.c = 1979-05-27 }
        restart = { intensity = 3, period = "500ms" }
        heartbeat = "2m"
        sandbox = "available"
    "#;
    let composition = Composition::parse(file).unwrap();
    let component = composition.component("a").unwrap();
    assert_eq!((component.name.as_str(), component.binary.to_str()), ("a", Some("/bin/a")));
    assert_eq!(component.args, ["-x", ""]);
    assert_eq!((component.ram, component.caps), (RamQuota::bytes(512 << 10), CapQuota::new(16)));
    assert_eq!(component.provides, ["S", "T"].map(service).into());
    assert_eq!(component.config.as_str(), "b = [1, 2.5, true]\n\n[a]\nc = 1979-05-27\n");
    assert_eq!(component.restart, Intensity { crashes: 3, period: Duration::from_millis(500) });
    assert_eq!(component.heartbeat, Some(Duration::from_secs(120)));
    assert_eq!(component.sandbox, Sandbox::Available);
}

#[test]
fn a_configuration_can_be_a_composition() {
    let nested = format!(
        "{COMPONENT}{}",
        COMPONENT.replace("[[component]]", "[[component.config.component]]").replace("'a'", "'b'")
    );
    let outer = Composition::parse(nested).unwrap();
    let inner = Composition::parse(outer.components()[0].config.as_str()).unwrap();
    assert_eq!(inner.components()[0].name.as_str(), "b");
}

#[test]
fn how_a_file_is_written_makes_no_difference() {
    let one =
        Composition::parse(format!("{COMPONENT}config = {{ b = 1, a = 2 }}\nprovides = ['S', 'T']")).unwrap();
    let other = format!(
        "# the same\r\n{}provides = ['T', 'S']\r\n[component.config]\r\na = 2\r\nb = 1",
        COMPONENT.replace('\n', "\r\n")
    );
    assert_eq!(one, Composition::parse(other).unwrap());
}

#[test]
fn one_bad_entry_spoils_the_whole_file() {
    // So nobody can start the half of it that is right.
    assert!(Composition::parse(COMPONENT).is_ok());
    let file = format!("{COMPONENT}[[route]]\nservice = 'S'\nto = 'nobody'");
    assert!(problem(&file).starts_with("8:6: error: route.to: found \"nobody\""));
}

/// What is wrong is said, and not what only seems to be because of it.
#[test]
fn one_mistake_is_one_problem() {
    let routes =
        "[[route]]\nfrom = 'a'\nservice = 'S'\nto = 'denied'\n[[route]]\nservice = 'S'\nto = 'denied'\n";
    for (component, key) in [
        (COMPONENT.replace("ram = 4096", "ram = '4Q'"), "component.ram"),
        (COMPONENT.replace("[[component]]", "[component]"), "component"),
        (COMPONENT.replace("caps = 10\n", ""), "component.caps"),
    ] {
        let problems = Composition::parse(component + routes).unwrap_err();
        let keys: Vec<&str> = problems.list().iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, [key], "{problems}");
    }
    // With a component that is right, of which the route for all would be left out for the other.
    let two =
        format!("{COMPONENT}{}{routes}", COMPONENT.replace("'a'", "'b'").replace("ram = 4096", "ram = 0"));
    assert_eq!(
        problem(&two),
        "9:7: error: component.ram: found 0, expected a size of one byte at least: 4096, \"512K\", \"4M\" or \"2G\""
    );
}

#[test]
fn limits_hold_to_the_last_one() {
    let list = |key: &str, entry: &dyn Fn(usize) -> String, count: usize| {
        let entries: Vec<String> = (0..count).map(entry).collect();
        format!("{COMPONENT}{key} = [{}]", entries.join(", "))
    };
    let args = |count| list("args", &|_| "'x'".into(), count);
    let provides = |count| list("provides", &|index| format!("'s{index}'"), count);
    let arg = |length: usize| format!("{COMPONENT}args = ['{}']", "x".repeat(length));
    let binary =
        |length: usize| COMPONENT.replace("binary = 'a'", &format!("binary = '{}'", "x".repeat(length)));
    let config = |length: usize| format!("{COMPONENT}config = '{}'", "x".repeat(length));
    let comment = |length: usize| format!("{}{}", COMPONENT, "#".repeat(length - COMPONENT.len()));
    let components =
        |count: usize| (0..count).map(|i| COMPONENT.replace("'a'", &format!("'n{i}'"))).collect::<String>();
    let route = |index: usize| format!("[[route]]\nservice = 's{index}'\nto = 'parent'\n");
    let routes = |count: usize| COMPONENT.to_owned() + &(0..count).map(route).collect::<String>();
    let restart = |count: usize| format!("{COMPONENT}restart = {{ intensity = {count} }}");
    let cases: [(&dyn Fn(usize) -> String, usize); 9] = [
        (&args, limits::MOST_ARGS),
        (&provides, limits::MOST_PROVIDED),
        (&arg, limits::LONGEST_ARG),
        (&binary, limits::LONGEST_PATH),
        (&config, limits::MOST_CONFIG),
        (&comment, limits::MOST_BYTES),
        (&components, limits::MOST_COMPONENTS),
        (&routes, limits::MOST_ROUTES),
        (&restart, limits::MOST_CRASHES as usize),
    ];
    for (index, (file, most)) in cases.into_iter().enumerate() {
        assert!(Composition::parse(file(most)).is_ok(), "case {index}");
        assert!(Composition::parse(file(most + 1)).is_err(), "case {index}");
    }
}

#[test]
fn values_of_every_wrong_kind_are_refused() {
    let values = [
        "1.5",
        "true",
        "1979-05-27",
        "[1]",
        "{ x = 1 }",
        "-1",
        "''",
        "\"\\u0000\"",
        "99999999999999999999999",
        "inf",
    ];
    let component = ["name", "binary", "args", "ram", "caps", "provides", "restart", "heartbeat", "sandbox"];
    for (keys, fits) in [(&component[..], ""), (&["from", "service", "to", "label"], "")] {
        for key in keys {
            for value in values {
                let header = if component.contains(key) {
                    COMPONENT.to_owned()
                } else {
                    "[[route]]\nservice = 'S'\nto = 'parent'\n".into()
                };
                let mut lines: Vec<&str> =
                    header.lines().filter(|line| !line.starts_with(&format!("{key} ="))).collect();
                let said = format!("{key} = {value}{fits}");
                lines.push(&said);
                let at = format!("{}:", lines.len());
                let problems = Composition::parse(lines.join("\n")).unwrap_err();
                let all = problems.to_string();
                assert!(
                    problems.list().iter().any(|p| all.contains(&at) && p.key.contains(key)),
                    "{said}: {all}"
                );
            }
        }
    }
}

#[test]
fn a_file_without_a_component_is_allowed_and_probably_not_meant() {
    for file in ["", "# nothing\n", "component = []", "[[route]]\nservice = 'S'\nto = 'parent'"] {
        let composition = Composition::parse(file).unwrap();
        let [warning] = composition.warnings() else { panic!("{:?}", composition.warnings()) };
        let said =
            "1:1: warning: component: found none of them, expected one at least; there is nothing to run";
        assert_eq!(warning.to_string(), said, "of {file}");
    }
    assert!(problem("component = 1").contains("expected an array of tables"), "and nothing else");
}

#[test]
fn budgets_are_held_against_what_there_is() {
    let two = format!("{COMPONENT}{}", COMPONENT.replace("'a'", "'b'"));
    let with = |ram: u64, caps: u64| {
        let given =
            Given { ram: Some(RamQuota::bytes(ram)), caps: Some(CapQuota::new(caps)), services: None };
        Composition::parse_within(&two, &given).map_err(|problems| problems.to_string())
    };
    assert!(with(8192, 20).is_ok());
    assert_eq!(
        with(8191, 20).unwrap_err(),
        "9:7: error: component.ram: found 4K, expected 4095 at most: the parent gives 8191"
    );
    assert_eq!(
        with(8192, 19).unwrap_err(),
        "10:8: error: component.caps: found 10, expected 9 at most: the parent gives 19"
    );
    let beyond = two.replace("ram = 4096", "ram = 9223372036854775808");
    assert!(problem(&beyond).contains("the sum of all is more than can be counted"));
    let beyond = two.replace("caps = 10", "caps = 18446744073709551615");
    assert!(problem(&beyond).contains("the sum of all is more than can be counted"));
}

#[test]
fn services_are_held_against_what_the_parent_has() {
    let file = format!("{COMPONENT}[[route]]\nservice = 'Tmer'\nto = 'parent'");
    let given = Given { services: Some(["Log", "Timer"].map(service).into()), ..Given::default() };
    let problems = Composition::parse_within(&file, &given).unwrap_err().to_string();
    assert_eq!(
        problems,
        "7:11: error: route.service: found \"Tmer\", expected a service that the parent gives: Log, Timer; did you mean \"Timer\"?"
    );
    assert!(Composition::parse_within(file.replace("Tmer", "*"), &given).is_ok());
}

#[test]
fn what_is_no_text_is_said_with_its_place() {
    let bytes = [COMPONENT.as_bytes(), b"# \xff"].concat();
    assert_eq!(
        Composition::parse(bytes).unwrap_err().to_string(),
        "6:3: error: the byte 0xff, expected text in UTF-8"
    );
}

#[test]
fn a_single_table_where_an_array_is_wanted() {
    let file = COMPONENT.replace("[[component]]", "[component]");
    assert!(
        problem(&file).ends_with(
            "component: found a table, expected an array of tables; write [[component]] before each"
        )
    );
}

#[test]
fn so_many_problems_are_counted_and_not_all_said() {
    let file: String = (0..5000).map(|index| format!("k{index} = 1\n")).collect();
    let problems = Composition::parse(file).unwrap_err();
    assert_eq!(
        (problems.list().len(), problems.more()),
        (limits::MOST_PROBLEMS, 5000 - limits::MOST_PROBLEMS)
    );
    assert!(problems.to_string().ends_with("and 4900 more"));
}

#[test]
fn an_error_after_many_warnings_is_an_error() {
    let route = |index: usize| {
        format!("[[route]]\nservice = 's{index}'\nlabel = {{ suffix = 'a' }}\nto = 'parent'\n")
    };
    let warnings: String = (0..200).map(route).collect();
    assert_eq!(
        Composition::parse(format!("{COMPONENT}{warnings}")).unwrap().warnings().len(),
        limits::MOST_PROBLEMS
    );
    let problems =
        Composition::parse(format!("{COMPONENT}{warnings}[[route]]\nservice = 'S'\nto = 'b'")).unwrap_err();
    let errors = problems.list().iter().filter(|problem| problem.severity == Severity::Error);
    assert_eq!((errors.count(), problems.list().len(), problems.more()), (1, limits::MOST_PROBLEMS, 101));
}

#[test]
fn circles_are_warned_of_at_the_route_that_closes_them() {
    let circle = |count: usize| {
        let component = |i| COMPONENT.replace("'a'", &format!("'n{i}'")) + "provides = ['S']\n";
        let route = |i| format!("[[route]]\nfrom = 'n{i}'\nservice = 'S'\nto = 'n{}'\n", (i + 1) % count);
        let file: String = (0..count).map(component).chain((0..count).map(route)).collect();
        let composition = Composition::parse(file).unwrap();
        let [warning] = composition.warnings() else { panic!("{:?}", composition.warnings()) };
        (warning.place.line, warning.found.clone())
    };
    assert_eq!(circle(2), (2 * 6 + 4 + 1, "a circle: n0 -> n1 -> n0".into()));
    assert_eq!(
        circle(7),
        (7 * 6 + 6 * 4 + 1, "a circle: n0 -> n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n0".into())
    );
    let (_, found) = circle(100);
    assert_eq!(found, "a circle: n0 -> n1 -> n2 -> n3 -> n4 -> n5 -> ... -> n0");
}

#[test]
fn a_circle_of_which_a_route_is_for_all_is_nothing_to_warn_of() {
    let server =
        |name: &str| COMPONENT.replace("'a'", &format!("'{name}'")) + &format!("provides = ['{name}']\n");
    let routes = "[[route]]\nservice = 'log'\nto = 'log'\n[[route]]\nservice = 'timer'\nto = 'timer'\n";
    let file = server("log") + &server("timer") + routes;
    assert!(Composition::parse(file).unwrap().warnings().is_empty());
}

/// What takes longest: as many rules as there can be, each for all services of a component, and none covers another.
#[test]
fn the_largest_file_is_checked_in_time() {
    let provides: Vec<String> = (0..limits::MOST_PROVIDED).map(|index| format!("'s{index}'")).collect();
    let component = |index: usize| {
        format!("{}provides = [{}]\n", COMPONENT.replace("'a'", &format!("'n{index}'")), provides.join(","))
    };
    let mut file: String = (0..limits::MOST_COMPONENTS).map(component).collect();
    for index in 0..limits::MOST_ROUTES {
        let label = format!("label = {{ prefix = ['h{}'] }}\n", if index % 2 == 0 { 0 } else { index });
        file.push_str(&format!(
            "[[route]]\nservice = '*'\nto = 'n{}'\n{label}",
            index % limits::MOST_COMPONENTS
        ));
    }
    let start = Instant::now();
    assert!(Composition::parse(file).is_err());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn hostile_files_are_refused_in_time() {
    for piece in [
        "= ",
        "[",
        "a.",
        "[[a]]\n",
        "'",
        "a = 1\n",
        "x = [",
        "{",
        "\n",
        "ü",
        "[route.",
        "a.b = 1\n",
        "\\",
        ",",
    ] {
        let start = Instant::now();
        let length = limits::MOST_BYTES / 4 / piece.len();
        let file = piece.repeat(length);
        let _ = Composition::parse(file);
        let _ = Composition::parse(format!("{COMPONENT}args = [{}", piece.repeat(length / 2)));
        assert!(start.elapsed() < Duration::from_secs(20), "{piece:?}: {:?}", start.elapsed());
    }
}

#[test]
fn binaries_that_cannot_be_executed() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("good"), "").unwrap();
    std::fs::set_permissions(at("good"), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(at("plain"), "").unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    let check = |binary: &str| -> Result<(), Problems> {
        let file = COMPONENT.replace("binary = 'a'", &format!("binary = {binary:?}"));
        Composition::parse(file)?.check_binaries(directory.path())
    };
    assert_eq!(check("good"), Ok(()));
    assert_eq!(check(at("good").to_str().unwrap()), Ok(()), "absolute");
    for (binary, why) in [
        ("plain", "make it executable"),
        ("folder", "it is a directory"),
        ("none", "No such file"),
        ("good/x", "Not a directory"),
        ("/dev/null", "it is no file"),
    ] {
        let said = check(binary).unwrap_err().to_string();
        assert!(said.starts_with("3:10: error: component.binary: found ") && said.contains(why), "{said}");
    }
}

/// Pieces of files, so that a random file has something to it.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "[[component]]",
            "[[route]]",
            "[component.config]",
            "component",
            "name",
            "binary",
            "args",
            "ram",
            "caps",
            "provides",
            "config",
            "restart",
            "heartbeat",
            "sandbox",
            "from",
            "service",
            "label",
            "to",
            "intensity",
            "period",
            "exact",
            "prefix",
            "suffix",
            " = ",
            "\n",
            "'a'",
            "\"a\"",
            "'parent'",
            "'*'",
            "4M",
            "'4M'",
            "10",
            "[",
            "]",
            "{",
            "}",
            ",",
            ".",
            "\"",
            "'''",
            "#",
            "0x",
            "-",
            "inf",
            "true",
            "1979-05-27",
            "\u{85}",
            "ü",
        ])
        .prop_map(str::to_owned),
        ".{0,3}",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        refused_well(&bytes)?;
    }

    #[test]
    fn random_pieces_are_read_or_refused(text in pieces()) {
        refused_well(text.as_bytes())?;
    }

    /// A right file with a few bytes changed.
    #[test]
    fn spoilt_files_are_read_or_refused(
        file in file(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = file.text().0.into_bytes();
        if !bytes.is_empty() {
            changes.into_iter().for_each(|(index, byte)| { let at = index.index(bytes.len()); bytes[at] = byte; });
        }
        refused_well(&bytes)?;
    }
}

/// Whatever the bytes are: no panic, and each problem is a line with a place within the file.
fn refused_well(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Err(problems) = Composition::parse(bytes) else { return Ok(()) };
    prop_assert!(!problems.list().is_empty());
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    for problem in problems.list() {
        prop_assert!((1..=lines).contains(&problem.place.line), "{}", problem);
        prop_assert!(!problem.to_string().contains('\n'), "{}", problem);
        prop_assert!(problem.to_string().len() < 600, "{}", problem);
    }
    Ok(())
}
