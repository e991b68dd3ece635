//! The benchmark of packet streams, run between real processes; what it measures here is no matter, that it measures is.

use portcullis_bench::{Error, Options, Program, Row, stream, table};

const SIZES: [&str; 5] = ["64", "1024", "4096", "65536", "1048576"];

fn options(filter: Option<&str>) -> Options {
    let component =
        Program { path: env!("CARGO_BIN_EXE_portcullis-bench-component").into(), arguments: Vec::new() };
    Options { filter: filter.map(Into::into), quick: true, component }
}

#[test]
fn a_quick_run_measures_every_case_beside_its_floor() {
    let mut rows: Vec<Row> = Vec::new();
    let skipped = stream::run(&options(None), &mut |row| rows.push(row.clone())).unwrap();
    let ways = ["all-bytes", "trusted", "header"];
    let expected: Vec<_> = ways.iter().flat_map(|way| SIZES.map(|size| format!("{way}/{size}"))).collect();
    if skipped.is_empty() {
        assert_eq!(rows.iter().map(|row| row.case.clone()).collect::<Vec<_>>(), expected);
    } else {
        assert_eq!(skipped.len(), expected.len(), "a machine with one core");
    }
    for row in &rows {
        assert_eq!((row.bench, row.floor, row.blocks), ("stream", "ring", 6));
        assert!(0 < row.ours_p50_ns && row.ours_p50_ns <= row.ours_p99_ns, "{row:?}");
        assert!(0 < row.floor_p50_ns && row.floor_p50_ns <= row.floor_p99_ns, "{row:?}");
        assert!(0.0 < row.ratio_min && row.ratio_min <= row.ratio && row.ratio <= row.ratio_max, "{row:?}");
        let (ours, floor, bytes) =
            (row.ours_per_s.unwrap(), row.floor_per_s.unwrap(), row.ours_gb_s.unwrap());
        assert!(ours > 0 && floor > 0 && row.ratio_to_rare_ring.unwrap() > 0.0, "{row:?}");
        let size: f64 = row.case.split('/').nth(1).unwrap().parse().unwrap();
        assert!((ours as f64 * size / 1e9 / bytes - 1.0).abs() < 0.01, "{row:?}");
        assert_eq!(
            row.read_gb_s.is_some_and(|alone| alone > 0.0),
            !row.case.starts_with("header"),
            "{row:?}"
        );
        assert_eq!(table::line(row).contains("budget"), row.budget.is_some());
    }
}

#[test]
fn a_filter_without_a_case_is_refused_before_anything_starts() {
    let nothing = Options {
        component: Program { path: "/nonexistent".into(), arguments: Vec::new() },
        ..options(Some("no-such-case"))
    };
    let error = stream::run(&nothing, &mut |_| panic!("there is nothing to measure")).unwrap_err();
    assert!(matches!(&error, Error::NoSuchCase { .. }) && error.to_string().contains("trusted/64"));
}
