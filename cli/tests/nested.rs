//! Compositions within compositions: what is wrong there is said of the file that they are in, and starts nothing.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{component, file, portcullis, run, text};
use std::path::Path;
use std::process::Output;

/// A component that leaves the file `mark`, beside one that composes others, within which one composes that. Its program has the
/// name that counts, and ends at once.
fn composition(directory: &Path, inner: &str) -> String {
    let program = directory.join("portcullis-init");
    let _ = std::os::unix::fs::symlink("/bin/true", &program);
    let program = program.to_str().unwrap();
    let touch = format!("args = ['{}']\nsandbox = 'off'", directory.join("mark").display());
    let inmost = component("inmost", program, &format!("config = {inner:?}"));
    component("touch", "/usr/bin/touch", &touch)
        + &component("outer", program, &format!("config = '''\n{inmost}'''"))
}

fn check(file: &Path, more: &[&str]) -> Output {
    run(portcullis(["check", "--without-binaries"]).args(more).arg(file))
}

#[test]
fn what_is_wrong_within_is_said_by_check_and_starts_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let right = component("x", "/bin/true", "");
    let file = file(&directory, &composition(directory.path(), &right));
    let output = check(&file, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    let wrong = composition(directory.path(), &right.replace("caps", "cups"));
    std::fs::write(&file, wrong).unwrap();
    let output = check(&file, &[]);
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 2), "{said}");
    let place = format!("{}:19:10: error: outer -> inmost: ", file.display());
    assert!(said.lines().all(|line| line.starts_with(&place)), "{said}");
    assert!(said.contains("component: found the unknown key \"cups\", expected one of name"), "{said}");
    assert!(said.contains("component.caps: found no such key"), "{said}");

    let output = check(&file, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problem = &json["problems"][0];
    assert_eq!((&json["ok"], &problem["within"]), (&false.into(), &serde_json::json!(["outer", "inmost"])));
    assert_eq!((&problem["line"], &problem["column"]), (&19.into(), &10.into()));

    let output = run(portcullis(["run"]).arg(&file));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), said));
    assert!(!mark.exists());
    std::fs::write(&file, composition(directory.path(), &right)).unwrap();
    run(portcullis(["run"]).arg(&file));
    assert!(mark.exists());
}

#[test]
fn a_warning_within_is_said_and_is_no_failure() {
    let directory = tempfile::tempdir().unwrap();
    let asks = component("x", "/bin/true", "") + "[[route]]\nservice = 'log'\nto = 'parent'\n";
    let file = file(&directory, &composition(directory.path(), &asks));
    let output = check(&file, &[]);
    let said = text(&output.stderr);
    let says = ":19:10: warning: outer -> inmost: route.service: found \"log\", expected a service that inmost is routed to: none";
    assert!(said.trim_end().ends_with(says), "{said}");
    assert_eq!((output.status.code(), said.lines().count()), (Some(0), 1), "{said}");
    let json: serde_json::Value = serde_json::from_slice(&check(&file, &["--json"]).stdout).unwrap();
    assert_eq!((&json["ok"], &json["problems"][0]["severity"]), (&true.into(), &"warning".into()));
}

#[test]
fn binaries_within_that_are_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let spawn = "[[route]]\nservice = 'spawn'\nto = 'parent'\n";
    let asks = component("x", "no/such", "") + spawn;
    let file =
        file(&directory, &(component("outer", "/bin/true", &format!("config = '''\n{asks}'''")) + spawn));
    assert!(run(portcullis(["check"]).arg(&file)).status.success(), "another program's business");
    let init = directory.path().join("portcullis-init");
    std::os::unix::fs::symlink("/bin/true", &init).unwrap();
    let wrong = std::fs::read_to_string(&file).unwrap().replacen("/bin/true", "portcullis-init", 1);
    std::fs::write(&file, wrong).unwrap();
    let output = run(portcullis(["check"]).arg(&file));
    let said = text(&output.stderr);
    let path = directory.path().join("no/such");
    let says = format!("{}:9:10: error: outer: component.binary: found {path:?}", file.display());
    assert!(said.starts_with(&says), "{said}");
    assert_eq!(output.status.code(), Some(1));
}
