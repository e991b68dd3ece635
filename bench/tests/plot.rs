//! The picture of the rows.

use portcullis_bench::{Error, Row, plot};
use std::path::PathBuf;
use svg::parser::Event;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn rows() -> Vec<Row> {
    let row = |case: &str, ours, floor| Row {
        case: case.into(),
        ours_p50_ns: ours,
        ours_p99_ns: ours * 3,
        floor: "spin",
        floor_p50_ns: floor,
        ratio: 1.25,
        ..Row::default()
    };
    vec![row("both-awake/0", 250, 200), row("clients/64", 450_000, 5_000)]
}

/// The bars that are as high as bars are, as (colour, left, width), and all texts.
fn parts(content: &str) -> (Vec<(String, f64, f64)>, Vec<String>) {
    let (mut bars, mut texts) = (Vec::new(), Vec::new());
    for event in svg::read(content).expect("readable") {
        match event {
            Event::Error(error) => panic!("no SVG: {error}"),
            Event::Tag("rect", _, attributes) if attributes.contains_key("x") => {
                let number = |key: &str| attributes[key].parse::<f64>().expect("a number");
                bars.push((attributes["fill"].to_string(), number("x"), number("width")));
            }
            Event::Text(text) => texts.push(text.to_string()),
            _ => {}
        }
    }
    (bars, texts)
}

#[test]
fn every_row_has_two_bars_its_name_and_its_ratio() {
    let path = path("rows.svg");
    plot::write(&rows(), &path).unwrap();
    let content = std::fs::read_to_string(&path).unwrap();
    assert!(content.starts_with("<svg") && content.contains(r#"xmlns="http://www.w3.org/2000/svg""#));
    let (bars, texts) = parts(&content);
    // The legend has two swatches before the bars of the rows.
    assert_eq!(bars.len(), 2 + 4);
    let [ours, floor, many_ours, many_floor] = &bars[2..] else { panic!("four bars") };
    assert_eq!((&ours.0, &floor.0), (&many_ours.0, &many_floor.0));
    assert_ne!(ours.0, floor.0);
    assert!(floor.2 < ours.2 && ours.2 < many_floor.2 && many_floor.2 < many_ours.2, "longer is slower");
    for wanted in
        ["both-awake/0", "clients/64", "1.25 × spin", "250 ns (p99 750 ns)", "5.00 µs", "100 ns", "1 ms"]
    {
        assert!(texts.iter().any(|text| text == wanted), "{wanted} is missing in {texts:?}");
    }
}

#[test]
fn no_rows_are_a_picture_too() {
    let path = path("empty.svg");
    plot::write(&[], &path).unwrap();
    assert!(parts(&std::fs::read_to_string(&path).unwrap()).1.iter().any(|text| text.contains("ratio")));
}

#[test]
fn a_path_that_is_none_is_named_in_the_error() {
    let error = plot::write(&rows(), &path("no-such-folder/rows.svg")).unwrap_err();
    assert!(matches!(&error, Error::Plot { .. }) && error.to_string().contains("no-such-folder"), "{error}");
}
