//! Random operations over real processes, against the reference model.

use crate::ACTOR;
use portcullis_tests::authority::actor::Fault;
use portcullis_tests::authority::concurrent;
use portcullis_tests::authority::fleet::Setting;
use portcullis_tests::authority::generate::{Generator, Weights};
use portcullis_tests::authority::op::{Action, Op};
use portcullis_tests::authority::run::run;
use portcullis_tests::watchdog::Watchdog;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How many operations, if `PORTCULLIS_OPERATIONS` does not say otherwise.
const OPERATIONS: u64 = 10_000;

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn compare(seed: u64) {
    let operations = environment("PORTCULLIS_OPERATIONS").unwrap_or(OPERATIONS);
    let _watchdog = Watchdog::start(Duration::from_secs(600 + operations / 100));
    let start = std::time::Instant::now();
    let generator = Generator::new(seed, Weights::default(), 0);
    let result = run(&Setting::new(ACTOR), generator, operations, |place| {
        if place % 50_000 == 0 {
            eprintln!("seed {seed}: {place} operations in {:?}", start.elapsed());
        }
    });
    match result {
        Ok(tally) => eprintln!("seed {seed}: {tally:?} in {:?}", start.elapsed()),
        Err(failed) => panic!("{failed}"),
    }
}

#[test]
fn random_operations_do_what_the_model_says() {
    compare(1);
}

#[test]
fn random_operations_of_another_seed_each_time_do_what_the_model_says() {
    compare(environment("PORTCULLIS_SEED").unwrap_or_else(|| RandomState::new().hash_one(0)));
}

#[test]
fn runs_at_once_do_nothing_that_the_model_forbids() {
    let _watchdog = Watchdog::start(Duration::from_secs(600));
    let setting = Setting { deadline: Duration::from_millis(200), ..Setting::new(ACTOR) };
    let seed = RandomState::new().hash_one(0);
    match concurrent::run(&setting, seed, 4, 2_000) {
        Ok(tally) => {
            eprintln!("seed {seed}: {tally:?}");
            assert!(tally.failed < tally.done + tally.answered, "most of it goes well: {tally:?}");
        }
        Err(wrong) => panic!("seed {seed}: {wrong}"),
    }
}

/// What processes with that fault do diverges, and no more operations than that matter.
fn is_found(fault: Fault, most: usize) -> Vec<Op> {
    let _watchdog = Watchdog::start(Duration::from_secs(600));
    let setting = Setting { fault, processes: 2, ..Setting::new(ACTOR) };
    // What was done since the last sweep is what is to be made small: so that it is not too much.
    let generator = Generator::new(1, Weights { sweep: 300, ..Weights::default() }, 0);
    let failed = run(&setting, generator, OPERATIONS, |_| ()).expect_err("it diverges");
    eprintln!("{failed}");
    let (ops, _) = failed.smallest.expect("it diverges once more");
    assert!(ops.len() <= most, "{ops:?}");
    ops
}

#[test]
fn a_drop_that_is_not_done_is_found_and_shrunk() {
    let ops = is_found(Fault::Hoards, 8);
    assert!(ops.iter().any(|op| matches!(op, Op::Drop { .. })), "{ops:?}");
}

#[test]
fn an_object_that_is_not_dissolved_is_found_and_shrunk() {
    let ops = is_found(Fault::Spares, 4);
    let ends = |op: &Op| matches!(op, Op::Dissolve { .. } | Op::Call { action: Action::Dissolve, .. });
    assert!(ops.iter().any(ends), "{ops:?}");
}
