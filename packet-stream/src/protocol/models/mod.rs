//! loom models: every order in which the two sides can run, and every value that their loads may see.
//!
//! A side that would sleep for ever is found as a deadlock. Each model names the orderings it depends on: without any
//! one of them it has been seen to fail. Run with `RUSTFLAGS="--cfg loom" cargo test --release --lib models::`.

#![allow(clippy::unwrap_used)] // tests, of which clippy knows only the functions that are marked

mod ends;
mod futex;
mod queue;

/// Every schedule that takes a thread's turn away at most so many times. Errors seldom hide deeper (Musuvathi and Qadeer,
/// "Iterative context bounding for systematic testing of multithreaded programs", 2007).
fn bounded_model(preemptions: usize, run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.check(run);
}
