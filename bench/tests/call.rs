//! The benchmark of calls, run between real processes; what it measures here is no matter, that it measures is.

use portcullis_bench::{Error, Options, Program, Row, call};
use std::collections::BTreeSet;

fn options(filter: Option<&str>) -> Options {
    let component =
        Program { path: env!("CARGO_BIN_EXE_portcullis-bench-component").into(), arguments: Vec::new() };
    Options { filter: filter.map(Into::into), quick: true, ..Options::new(component) }
}

/// All cases and their floors.
const CASES: [(&str, &str); 23] = [
    ("both-awake/0", "spin"),
    ("both-awake/64", "spin"),
    ("both-awake/1000", "spin"),
    ("same-core/0", "futex"),
    ("same-core/64", "futex"),
    ("same-core/1000", "futex"),
    ("same-core-socket/0", "futex"),
    ("same-core-socket/64", "futex"),
    ("same-core-socket/1000", "futex"),
    ("unpinned/0", "spin"),
    ("unpinned/64", "spin"),
    ("unpinned/1000", "spin"),
    ("layer/0", "untyped"),
    ("layer/64", "untyped"),
    ("layer/1000", "untyped"),
    ("new-object", "call"),
    ("delegate-third-party", "scm-rights"),
    ("callback", "two-calls"),
    ("objects/1000000", "objects/10"),
    ("object-of-1000000", "objects/10"),
    ("clients/1", "one-client"),
    ("clients/8", "one-client"),
    ("clients/64", "one-client"),
];

fn check(row: &Row) {
    assert_eq!(row.bench, "call");
    assert!(0 < row.ours_p50_ns && row.ours_p50_ns <= row.ours_p99_ns, "{row:?}");
    assert!(0 < row.floor_p50_ns && row.floor_p50_ns <= row.floor_p99_ns, "{row:?}");
    assert!(0.0 < row.ratio_min && row.ratio_min <= row.ratio && row.ratio <= row.ratio_max, "{row:?}");
    assert!(row.blocks > 0 && row.ours_cpu_ns > 0 && row.floor_cpu_ns > 0, "{row:?}");
    let is_crowd = row.case.starts_with("clients/");
    assert_eq!((row.calls_per_second.is_some(), row.slowest_to_mean.is_some()), (is_crowd, is_crowd));
    assert!(row.slowest_to_mean.is_none_or(|share| (0.0..=1.0).contains(&share)), "{row:?}");
}

#[test]
fn a_quick_run_measures_every_case_beside_its_floor() {
    let mut rows = Vec::new();
    let skipped = call::run(&options(None), &mut |row| rows.push(row.clone())).unwrap();
    rows.iter().for_each(check);
    let measured = rows.iter().map(|row| (row.case.as_str(), row.floor));
    // A machine with one core measures fewer, and says of all the others that it does.
    let missed = CASES.into_iter().filter(|case| skipped.iter().any(|skipped| skipped.case == case.0));
    assert_eq!(measured.chain(missed).collect::<BTreeSet<_>>(), BTreeSet::from(CASES));
    assert!(skipped.iter().all(|skipped| skipped.to_string().contains("two cores")));
}

#[test]
fn one_core_is_enough_for_some_cases_and_the_others_say_so() {
    let here = rustix::thread::sched_getaffinity(None).unwrap();
    let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|core| here.is_set(*core)).unwrap();
    let mut one = rustix::thread::CpuSet::new();
    one.set(first);
    rustix::thread::sched_setaffinity(None, &one).unwrap();
    let mut rows = Vec::new();
    let skipped = call::run(&options(Some("/64")), &mut |row| rows.push(row.clone())).unwrap();
    rows.iter().for_each(check);
    let measured: Vec<&str> = rows.iter().map(|row| row.case.as_str()).collect();
    assert_eq!(measured, ["same-core/64", "same-core-socket/64", "clients/64"]);
    let named: Vec<&str> = skipped.iter().map(|skipped| skipped.case.as_str()).collect();
    assert_eq!(named, ["both-awake/64", "unpinned/64", "layer/64"]);
}

#[test]
fn a_filter_without_a_case_is_refused_before_anything_starts() {
    let nothing = Options {
        component: Program { path: "/nonexistent".into(), arguments: Vec::new() },
        ..options(Some("no-such-case"))
    };
    let error = call::run(&nothing, &mut |_| panic!("there is nothing to measure")).unwrap_err();
    assert!(matches!(&error, Error::NoSuchCase { .. }) && error.to_string().contains("both-awake/0"));
}

#[test]
fn a_program_that_is_no_component_is_an_error() {
    let program = Program { path: "/bin/true".into(), arguments: Vec::new() };
    let options = Options { component: program, ..options(Some("same-core/0")) };
    let error = call::run(&options, &mut |_| panic!("there is nothing to measure")).unwrap_err();
    assert!(matches!(error, Error::Call(_)), "{error}");
}
