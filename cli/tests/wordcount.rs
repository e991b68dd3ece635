//! The result of the word count demo is that of `wc`, whatever is counted.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Running, portcullis, run, text};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `wc` prints for a file of the directory, in a locale.
fn wc(directory: &Path, file: &str, locale: &str) -> String {
    let output = Command::new("wc").arg(file).current_dir(directory).env("LC_ALL", locale).output().unwrap();
    assert!(output.status.success());
    text(&output.stdout)
}

/// What the demo prints.
fn demo(directory: &Path, file: &str, locale: &str) -> String {
    let output = run(portcullis(["demo", "wordcount", file]).current_dir(directory).env("LC_ALL", locale));
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.ends_with(" calls per second\n"), "{errors}");
    assert!(!errors.contains('\x1b'), "a bar only on a terminal: {errors}");
    text(&output.stdout)
}

fn assert_equals_wc(content: &[u8], locale: &str) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("input"), content).unwrap();
    assert_eq!(demo(directory.path(), "input", locale), wc(directory.path(), "input", locale));
}

/// Bytes without a pattern, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn equals_wc_on_an_empty_file() {
    assert_equals_wc(b"", "C");
}

#[test]
fn equals_wc_without_a_newline_at_the_end() {
    assert_equals_wc(b"two words", "C");
}

#[test]
fn equals_wc_on_words_across_the_edges_of_calls() {
    for length in [1021, 1022, 1023, 1024, 2044, 65408, 65409, 65536] {
        let word = vec![b'x'; length];
        assert_equals_wc(&[&word[..], b" y\n", &word, b"\n"].concat(), "C");
        assert_equals_wc(&[&word[1..], b" ", &word, b" "].concat(), "C");
    }
}

#[test]
fn equals_wc_on_text_in_the_users_locale() {
    let text = "ein Maß → zwei Maß\n — ≤\t≥ end".repeat(400);
    assert_equals_wc(text.as_bytes(), "C.UTF-8");
    assert_equals_wc(b"plain text\r\n\x0band\x0cmore", "C.UTF-8");
}

#[test]
fn equals_wc_on_a_binary_file() {
    let noise = noise(1 << 20);
    // GNU wc came to let bytes that are no characters begin a word; in older versions they do not. Where they do, each
    // one is made a letter, which leaves white space as it is.
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("input"), b"\x01").unwrap();
    if wc(directory.path(), "input", "C").starts_with("0 0 1") {
        assert_equals_wc(&noise, "C");
    } else {
        let begins = |byte: u8| byte.is_ascii_graphic() || matches!(byte, b'\t'..=b'\r' | b' ');
        let visible: Vec<u8> = noise.into_iter().map(|byte| if begins(byte) { byte } else { b'x' }).collect();
        assert_equals_wc(&visible, "C");
    }
}

#[test]
fn counts_its_standard_input() {
    let mut running = Running::start(portcullis(["demo", "wordcount", "-"]).stdin(Stdio::piped()));
    let mut stdin = running.stdin();
    for piece in ["one tw", "o\nthree", " fo", "ur\n"] {
        stdin.write_all(piece.as_bytes()).unwrap();
    }
    drop(stdin);
    let output = running.finish();
    assert_eq!(text(&output.stdout), "      2       4      19 -\n", "as wide as wc prints for a pipe");
}

#[test]
fn counts_the_nearest_readme_by_default() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(directory.path().join("README.md"), b"read me\n").unwrap();
    let output = run(portcullis(["demo", "wordcount"]).current_dir(&below));
    assert_eq!(text(&output.stdout), "1 2 8 ../../README.md\n");
}

#[test]
fn counts_its_own_readme_where_there_is_none() {
    let output = run(portcullis(["demo", "wordcount"]).current_dir("/proc"));
    let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    assert_eq!(text(&output.stdout), wc(workspace, "README.md", "C"));
}

#[test]
fn json_is_one_object_on_one_line() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a \"b\""), b"x y\n".repeat(1000)).unwrap();
    let output = run(portcullis(["demo", "wordcount", "a \"b\"", "--json"]).current_dir(directory.path()));
    let line = text(&output.stdout);
    assert_eq!(line.lines().count(), 1);
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    let expected = [("lines", 1000), ("words", 2000), ("bytes", 4000), ("calls", 6)];
    for (name, value) in expected {
        assert_eq!(json[name], value, "{name}");
    }
    assert_eq!((json["demo"].as_str(), json["input"].as_str()), (Some("wordcount"), Some("a \"b\"")));
    assert!(json["seconds"].as_f64().unwrap() > 0.0 && json["calls_per_second"].as_f64().unwrap() > 0.0);
}
