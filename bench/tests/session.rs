//! The benchmark of sessions, run between real processes: what comes goes.

use portcullis_bench::{Error, Program, Row, session, table};

fn options(program: &str) -> session::SessionOptions {
    session::SessionOptions {
        quick: true,
        component: Program { path: program.into(), arguments: Vec::new() },
    }
}

#[test]
fn sessions_are_measured_beside_their_floor_and_leave_nothing() {
    let mut rows: Vec<Row> = Vec::new();
    let component = options(env!("CARGO_BIN_EXE_portcullis-bench-component"));
    session::run(&component, &mut |row| rows.push(row.clone())).unwrap();
    let [row, held] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((held.case.as_str(), held.held, held.blocks), ("held-at-once", Some(1000), 3));
    assert!(held.floor_held.is_some_and(|floor| 0 < floor && floor <= 1000), "{held:?}");
    assert!(held.descriptors_held < held.descriptors_before.map(|before| before + 10), "{held:?}");
    assert_eq!((held.descriptors_before, held.rows_before), (held.descriptors_after, held.rows_after));
    assert!(table::line(held).contains("1000 at once"), "{}", table::line(held));
    assert_eq!((row.bench, row.case.as_str(), row.floor), ("session", "open-delegate-drop", "scm-rights"));
    assert!(0 < row.ours_p50_ns && row.ours_p50_ns <= row.ours_p99_ns, "{row:?}");
    assert!(0 < row.floor_p50_ns && row.floor_p50_ns <= row.floor_p99_ns, "{row:?}");
    assert!(0.0 < row.ratio_min && row.ratio_min <= row.ratio && row.ratio <= row.ratio_max, "{row:?}");
    assert!(row.ours_cpu_ns > 0 && row.floor_cpu_ns > 0, "{row:?}");
    assert_eq!((row.blocks, row.sessions), (10, Some(1000)));
    assert!(
        row.descriptors_before.is_some_and(|descriptors| descriptors > 3 * 3),
        "of three processes: {row:?}"
    );
    assert_eq!(row.descriptors_before, row.descriptors_after);
    assert!(row.rows_before.is_some_and(|rows| rows > 0), "{row:?}");
    assert_eq!(row.rows_before, row.rows_after);
    assert!(table::line(row).contains("1000 sessions, descriptors "), "{}", table::line(row));
}

#[test]
fn a_program_that_is_no_component_is_an_error() {
    let error =
        session::run(&options("/bin/true"), &mut |_| panic!("there is nothing to measure")).unwrap_err();
    assert!(matches!(error, Error::Call(_)), "{error}");
}
