//! What the kernel allows a sandbox, as the command says it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{of_program, portcullis, run};
use portcullis_component::sandbox::{Layer, Support};
use serde_json::Value;

fn parsed(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("the result is JSON")
}

#[test]
fn it_says_for_each_layer_whether_it_is_there_and_ends_with_0_only_if_strict_is_possible() {
    let support = Support::of_this_system().expect("there is room to try it");
    let output = run(&mut portcullis(["doctor"]));
    assert_eq!(output.status.code(), Some(if support.strict() { 0 } else { 1 }));
    let text = String::from_utf8(output.stdout).unwrap();
    for layer in Layer::ALL {
        let line =
            text.lines().find(|line| line.split_whitespace().next() == Some(layer.name())).expect(&text);
        let there = line.split_whitespace().nth(1) == Some("yes");
        assert_eq!(there, support.has(layer), "{line}");
    }
    assert!(text.contains("memory limit"));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.lines().count(), support.lacks().len(), "{told}");
}

#[test]
fn it_says_the_same_as_json() {
    let support = Support::of_this_system().expect("there is room to try it");
    let output = run(&mut portcullis(["doctor", "--json"]));
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
    let report = parsed(&output);
    assert_eq!(report["strict"], Value::Bool(support.strict()));
    let layers = report["layers"].as_array().unwrap();
    assert_eq!(layers.len(), Layer::ALL.len());
    for (row, layer) in layers.iter().zip(Layer::ALL) {
        assert_eq!(row["layer"], layer.name());
        assert_eq!(row["there"], support.has(layer));
        assert_eq!(row["needed"], layer.needed());
        assert_eq!(row.get("remedy").is_some(), !support.has(layer));
    }
}

/// Where processes make no namespaces, and nothing else is different.
#[test]
fn without_user_namespaces_it_says_so_and_ends_with_1() {
    if !Support::of_this_system().expect("there is room to try it").has(Layer::UserNamespace) {
        // That is what the first test has seen.
        return;
    }
    let none = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" doctor --json";
    let program = env!("CARGO_BIN_EXE_portcullis");
    let output =
        run(&mut of_program("unshare".as_ref(), ["--user", "--map-root-user", "sh", "-c", none, program]));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report = parsed(&output);
    assert_eq!(report["strict"], Value::Bool(false));
    let user = &report["layers"][0];
    assert_eq!((&user["layer"], &user["there"]), (&"user".into(), &false.into()));
    assert!(user["remedy"].as_str().unwrap().contains("max_user_namespaces"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no user: "));
}
