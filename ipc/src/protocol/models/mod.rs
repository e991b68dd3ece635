//! loom models: every order in which the two sides of a protocol can run, and every value that their loads may see.
//!
//! A thread that would sleep for ever is found as a deadlock. Each model names the fences and orderings it depends on:
//! without any one of them it has been seen to fail. Run with `RUSTFLAGS="--cfg loom" cargo test --release --lib`.

#![allow(clippy::unwrap_used)] // tests, of which clippy knows only the functions that are marked

mod doorbell;
mod hang_up;
mod kernel;
mod lane_queue;
mod posts;
mod release_ring;
mod reply_wait;
mod round_trip;
mod signals;
mod tasks;
mod waits;

/// Every schedule, for as long as `LOOM_MAX_PREEMPTIONS` does not say less.
fn model(run: impl Fn() + Sync + Send + 'static) {
    loom::model(run);
}

/// Every schedule that takes a thread's turn away at most so many times: for models with so many steps that there is no
/// end to all schedules. Errors seldom hide deeper (Musuvathi and Qadeer, "Iterative context bounding for systematic
/// testing of multithreaded programs", 2007).
fn bounded_model(preemptions: usize, run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.check(run);
}
