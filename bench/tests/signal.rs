//! The benchmark of signals, run between real processes; what it measures here is no matter, that it measures is.

use portcullis_bench::{Error, Options, Program, Row, signal, table};

fn options(filter: Option<&str>) -> Options {
    let component =
        Program { path: env!("CARGO_BIN_EXE_portcullis-bench-component").into(), arguments: Vec::new() };
    Options { filter: filter.map(Into::into), quick: true, component }
}

#[test]
fn a_quick_run_measures_every_case_beside_its_floor() {
    let mut rows: Vec<Row> = Vec::new();
    let skipped = signal::run(&options(None), &mut |row| rows.push(row.clone())).unwrap();
    let expected = [("submit-pending", "atomic"), ("submit-to-handler", "spin"), ("flood", "taken-bit")];
    if skipped.is_empty() {
        let measured: Vec<_> = rows.iter().map(|row| (row.case.as_str(), row.floor)).collect();
        assert_eq!(measured, expected);
    } else {
        assert_eq!(skipped.len(), expected.len(), "a machine with one core");
    }
    for row in &rows {
        assert_eq!((row.bench, row.blocks), ("signal", 6));
        assert!(0 < row.ours_p50_ns && row.ours_p50_ns <= row.ours_p99_ns, "{row:?}");
        assert!(0 < row.floor_p50_ns && row.floor_p50_ns <= row.floor_p99_ns, "{row:?}");
        assert!(0.0 < row.ratio_min && row.ratio_min <= row.ratio && row.ratio <= row.ratio_max, "{row:?}");
        let is_flood = row.case == "flood";
        assert_eq!(row.runs_per_second.is_some_and(|runs| runs > 0), is_flood, "{row:?}");
        assert_eq!(table::line(row).contains("signals/s"), is_flood);
    }
}

#[test]
fn a_filter_without_a_case_is_refused_before_anything_starts() {
    let nothing = Options {
        component: Program { path: "/nonexistent".into(), arguments: Vec::new() },
        ..options(Some("no-such-case"))
    };
    let error = signal::run(&nothing, &mut |_| panic!("there is nothing to measure")).unwrap_err();
    assert!(matches!(&error, Error::NoSuchCase { .. }) && error.to_string().contains("flood"));
}
