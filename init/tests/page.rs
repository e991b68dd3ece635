//! The page on composition files says what is so: its examples parse, its errors are the real ones, its tables are whole.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

use portcullis_init::{Composition, Problem};

const PAGE: &str = include_str!("../../docs/composition.md");

/// The code on the page: language and text, without the indentation of the list that it stands in.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    let mut open: Option<usize> = None;
    for line in PAGE.lines() {
        match (line.trim_start().strip_prefix("```"), open) {
            (Some(language), None) => {
                open = Some(line.len() - line.trim_start().len());
                blocks.push((language, String::new()));
            }
            (Some(_), Some(_)) => open = None,
            (None, Some(indentation)) => {
                let (_, text) = blocks.last_mut().unwrap();
                text.push_str(line.get(indentation..).unwrap_or_default());
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn examples_parse_and_errors_are_the_real_ones() {
    let blocks = blocks();
    let (mut right, mut wrong) = (0, 0);
    for (index, (language, text)) in blocks.iter().enumerate() {
        if *language != "toml" {
            continue;
        }
        let said = match Composition::parse(text) {
            Ok(composition) => lines(composition.warnings()),
            Err(problems) => lines(problems.list()),
        };
        match blocks.get(index + 1) {
            Some(("text", expected)) => {
                wrong += 1;
                assert_eq!(&said, expected, "of\n{text}");
            }
            _ => {
                right += 1;
                assert_eq!(said, "", "of\n{text}");
            }
        }
    }
    assert!(right >= 2 && wrong >= 4, "{right} that are right, {wrong} that are not");
}

/// A problem but for where it is: of lines that are named, too.
fn of_any_line(problem: &Problem) -> String {
    let mut said = format!("{} {} {} {:?} ", problem.severity, problem.key, problem.found, problem.hint);
    said.retain(|char| !char.is_ascii_digit());
    said + &problem.expected
}

/// Whatever is said of a file is said of it within another one as well, with its place there.
#[test]
fn errors_within_another_composition_are_the_same() {
    let mut count = 0;
    let outer = "[[component]]\nname = 'outer'\nbinary = 'portcullis-init'\nram = 9223372036854775807\n\
                 caps = 9223372036854775807\nconfig = '''\n";
    let routes = "'''\n[[route]]\nservice = '*'\nto = 'parent'\n";
    for (_, text) in blocks().into_iter().filter(|(language, _)| *language == "toml") {
        let said = |text: &str| match Composition::parse(text) {
            Ok(composition) => composition.warnings().to_vec(),
            Err(problems) => problems.list().to_vec(),
        };
        let (alone, within) = (said(&text), said(&format!("{outer}{text}{routes}")));
        assert_eq!(alone.len(), within.len(), "of\n{text}");
        for (alone, within) in alone.iter().zip(&within) {
            assert_eq!(of_any_line(alone), of_any_line(within), "of\n{text}");
            let (line, column) = (alone.place.line + outer.lines().count(), alone.place.column);
            assert_eq!((within.place.line, within.place.column), (line, column), "of\n{text}");
            assert_eq!(within.within[0].as_str(), "outer");
            count += 1;
        }
    }
    assert!(count >= 15, "{count} problems");
}

/// The rows of a section's table: key, default, example.
fn rows(section: &str) -> Vec<[&'static str; 3]> {
    let (_, rest) = PAGE.split_once(&format!("# `{section}`\n")).unwrap();
    let table = rest.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let cells =
        table.take_while(|line| line.starts_with('|')).map(|line| line.split('|').map(str::trim).collect());
    cells.map(|cells: Vec<&str>| [cells[1].trim_matches('`'), cells[3], cells[4].trim_matches('`')]).collect()
}

/// The keys that the parser itself says there are.
fn known_keys(file: &str) -> Vec<String> {
    let problems = Composition::parse(file).unwrap_err();
    let unknown = problems.list().iter().find(|problem| problem.found.contains("unknown key")).unwrap();
    unknown.expected.trim_start_matches("one of ").split(", ").map(str::to_owned).collect()
}

#[test]
fn each_key_has_a_row_with_its_default_and_an_example() {
    let sections = [
        ("[[component]]", "[[component]]\n", "[[component]]\nunknown = 1"),
        ("restart", "[[component]]\nrestart = {", "[[component]]\nrestart = { unknown = 1 }"),
        ("[[route]]", "[[route]]\n", "[[route]]\nunknown = 1"),
        ("label", "[[route]]\nlabel = {", "[[route]]\nlabel = { unknown = 1 }"),
    ];
    let component = ["name = 'shell'", "binary = 'b'", "ram = 1", "caps = 1"];
    let route = ["service = 'Log'", "to = 'denied'"];
    for (section, header, unknown) in sections {
        let rows = rows(section);
        assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), known_keys(unknown), "{section}");
        for [key, default, example] in rows {
            // A file with this in its place, and whatever else is needed.
            let file = |said: &str| {
                let inner = if header.ends_with('{') {
                    format!("{header}{said}}}\n")
                } else {
                    format!("{header}{said}\n")
                };
                let of_component = header.starts_with("[[component]]");
                let needed = if of_component { &component[..] } else { &route[..] };
                let mut file = inner;
                for line in needed.iter().filter(|line| !line.starts_with(&format!("{key} = "))) {
                    file.push_str(&format!("{line}\n"));
                }
                if !of_component {
                    file.push_str("[[component]]\nname = 'shell'\nbinary = 'b'\nram = 1\ncaps = 1\n");
                }
                Composition::parse(file)
            };
            let with_example = file(example).unwrap_or_else(|problems| panic!("{example}: {problems}"));
            match default {
                "required" => {
                    let problems = file("").unwrap_err().to_string();
                    assert!(problems.contains(&format!(".{key}: found no such key")), "{problems}");
                }
                "none" if section == "label" => {}
                "none" => assert_ne!(with_example, file("").unwrap(), "{key}"),
                default => {
                    assert_eq!(file(default.trim_matches('`')).unwrap(), file("").unwrap(), "{key}");
                    assert_ne!(with_example, file("").unwrap(), "{key}");
                }
            }
        }
    }
}
