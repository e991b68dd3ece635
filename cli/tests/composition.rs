//! Composition files: what `check` says of them, and what `graph` draws.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, portcullis, run, text};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

const FILE: &str = r#"
[[component]]
name = "log"
binary = "bin/log"
ram = "4M"
caps = 100
provides = ["Log"]

[[component]]
name = "shell"
binary = "bin/shell"
ram = "16M"
caps = 300

[[route]]
service = "Log"
to = "log"

[[route]]
from = "log"
service = "Log"
label = { prefix = ["<a & b"] }
to = "parent"

[[route]]
service = "*"
to = "denied"
"#;

/// A directory with a composition file and the binaries that it names.
fn directory(file: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("demo.toml"), file).unwrap();
    fs::create_dir(directory.path().join("bin")).unwrap();
    for name in ["log", "shell"] {
        let binary = directory.path().join("bin").join(name);
        fs::write(&binary, "").unwrap();
        fs::set_permissions(&binary, PermissionsExt::from_mode(0o755)).unwrap();
    }
    directory
}

fn run_in(directory: &Path, arguments: &[&str]) -> Output {
    run(portcullis(arguments).current_dir(directory))
}

fn json(output: &Output) -> serde_json::Value {
    let line = text(&output.stdout);
    assert_eq!(line.lines().count(), 1, "{line}");
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_file_that_is_right() {
    let directory = directory(FILE);
    let output = run_in(directory.path(), &["check", "demo.toml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout), "demo.toml: 2 components, 3 routes, 20M RAM, 400 caps\n");
    assert!(output.stderr.is_empty());

    let output =
        run_in(Path::new("/"), &["check", directory.path().join("demo.toml").to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(0), "paths begin at the file's directory: {output:?}");
    let json = json(&output);
    assert_eq!(
        (&json["ok"], &json["components"], &json["ram"], &json["problems"]),
        (&true.into(), &2.into(), &(20 << 20).into(), &serde_json::json!([]))
    );
}

#[test]
fn a_file_that_is_wrong() {
    let directory = directory(&FILE.replace("to = \"log\"", "to = \"lgo\"").replace("\"16M\"", "\"16MB\""));
    let output = run_in(directory.path(), &["check", "demo.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = text(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].starts_with("demo.toml:12:7: error: component.ram: found \"16MB\", expected a size"),
        "{said}"
    );
    assert!(lines[0].ends_with("did you mean \"16M\"?"), "{said}");
    assert!(
        lines[1]
            .starts_with("demo.toml:17:6: error: route.to: found \"lgo\", expected the name of a component"),
        "{said}"
    );

    let output = run_in(directory.path(), &["check", "demo.toml", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json = json(&output);
    assert_eq!((&json["ok"], &json["file"]), (&false.into(), &"demo.toml".into()));
    let problem = &json["problems"][1];
    assert_eq!(
        (&problem["line"], &problem["column"], &problem["key"]),
        (&17.into(), &6.into(), &"route.to".into())
    );
    assert_eq!((&problem["severity"], &problem["found"]), (&"error".into(), &"\"lgo\"".into()));

    // Nothing is drawn of it, either.
    let output = run_in(directory.path(), &["graph", "demo.toml", "-o", "demo.svg"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), said));
    assert!(!directory.path().join("demo.svg").exists());
}

#[test]
fn binaries_that_are_not_there() {
    let directory = directory(FILE);
    fs::remove_file(directory.path().join("bin/log")).unwrap();
    let output = run_in(directory.path(), &["check", "demo.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.starts_with("demo.toml:4:10: error: component.binary: found \"bin/log\", expected"),
        "{said}"
    );
    assert!(said.contains("No such file"), "{said}");
    let output = run_in(directory.path(), &["check", "demo.toml", "--without-binaries"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn budgets_that_are_not_there() {
    let directory = directory(FILE);
    let enough = run_in(directory.path(), &["check", "demo.toml", "--ram", "20M", "--caps", "400"]);
    assert_eq!(enough.status.code(), Some(0), "{enough:?}");
    let output = run_in(directory.path(), &["check", "demo.toml", "--ram", "19M", "--caps", "399"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("found 16M, expected 15M at most: the parent gives 19M"), "{said}");
    assert!(said.contains("found 300, expected 299 at most: the parent gives 399"), "{said}");
    let output = run_in(directory.path(), &["check", "demo.toml", "--ram", "19MB"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean \"19M\"?"));
}

#[test]
fn a_warning_is_said_and_is_no_failure() {
    let suffix = "label = { suffix = ['shell'] }\nservice = 'Log'\nto = 'log'";
    let directory = directory(&FILE.replace("service = \"Log\"\nto = \"log\"", suffix));
    for command in ["check", "graph"] {
        let output = run_in(directory.path(), &[command, "demo.toml"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = text(&output.stderr);
        assert!(
            said.starts_with("demo.toml:16:9: warning: route.label: ") && said.lines().count() == 1,
            "{said}"
        );
    }
    let json = json(&run_in(directory.path(), &["check", "demo.toml", "--json"]));
    assert_eq!((&json["ok"], &json["problems"][0]["severity"]), (&true.into(), &"warning".into()));
}

#[test]
fn a_file_that_cannot_be_read() {
    let directory = directory(FILE);
    for command in ["check", "graph"] {
        for (file, says) in [("none.toml", "cannot read 'none.toml'"), (".", "'.' is a directory")] {
            let output = run_in(directory.path(), &[command, file]);
            assert_eq!(output.status.code(), Some(1));
            let said = text(&output.stderr);
            assert!(
                said.starts_with("portcullis: ") && said.contains(says) && said.contains("name a file"),
                "{said}"
            );
            assert!(output.stdout.is_empty());
        }
        let output = run_in(directory.path(), &[command]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("FILE.toml"));
        let help = text(&run_in(directory.path(), &[command, "--help"]).stdout);
        assert!(help.contains("FILE.toml"), "{help}");
    }
    let output = run_in(directory.path(), &["check", "none.toml", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!((&report["ok"], &report["file"]), (&false.into(), &"none.toml".into()));
    assert_eq!(report["problems"][0]["line"], 0, "{report}");
    assert!(report["problems"][0]["found"].as_str().unwrap().contains("cannot read"), "{report}");
    // Endless, and no text.
    let output = run_in(directory.path(), &["check", "/dev/zero"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("/dev/zero:1:1: error: 1048577 bytes, expected a file of up to 1M")
    );
}

#[test]
fn a_file_from_standard_input() {
    for arguments in [&["check", "-"][..], &["graph", "--dot", "-"]] {
        let directory = directory("");
        let mut running =
            Running::start(portcullis(arguments).current_dir(directory.path()).stdin(Stdio::piped()));
        let mut stdin = running.stdin();
        stdin.write_all(FILE.as_bytes()).unwrap();
        drop(stdin);
        let output = running.finish();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn a_graph_in_both_languages() {
    let directory = directory(FILE);
    let svg = text(&run_in(directory.path(), &["graph", "demo.toml"]).stdout);
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{svg}");
    for said in ["\nshell\n", "\n16M RAM, 300 caps\n", "\nany component\n", "\ndenied\n", "&lt;a &amp; b"] {
        assert!(svg.contains(said), "{said} is missing in {svg}");
    }
    assert!(!svg.contains("<a & b"));
    let dot = text(&run_in(directory.path(), &["graph", "demo.toml", "--dot"]).stdout);
    assert!(dot.starts_with("digraph composition {\n") && dot.ends_with("}\n"));
    let edge = r#"  "component log" -> "parent" [label="Log: <a & b -> *"];"#;
    assert!(dot.lines().any(|line| line == edge), "{dot}");

    let written = run_in(directory.path(), &["graph", "demo.toml", "--output", "demo.svg"]);
    assert!(written.status.success() && written.stdout.is_empty());
    assert_eq!(fs::read_to_string(directory.path().join("demo.svg")).unwrap().trim_end(), svg.trim_end());
    let output = run_in(directory.path(), &["graph", "demo.toml", "-o", "no/such/demo.svg"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot write 'no/such/demo.svg'"));
}
