//! Components that are confined, and what they try.
//!
//! Each attempt is made twice: by a confined component, and by the same without a sandbox, where it succeeds (unless that would do
//! harm, or takes a privilege that the tests are run without). On a kernel that lacks a layer `both` makes sure that the strict
//! sandbox refuses to run, and names the layer.

mod bounds;
mod cycles;
mod descriptors;
mod files;
mod kernel;
mod lacking;
mod modes;
mod network;
mod orphans;
mod outside;
mod processes;
mod start;

use portcullis_tests::intruder::cell::Outcome;
use portcullis_tests::watchdog::Watchdog;
use rustix::io::Errno;
use std::time::Duration;

const INTRUDER: &str = env!("CARGO_BIN_EXE_intruder");

fn watchdog() -> Watchdog {
    Watchdog::start(Duration::from_secs(110))
}

/// Makes sure that an attempt was refused, in one of these ways.
#[track_caller]
fn refused(outcome: Outcome, ways: &[Errno]) {
    match outcome {
        Err(reason) if ways.contains(&reason) => {}
        other => panic!("should be refused by one of {ways:?}, and is {other:?}"),
    }
}

/// Whether this process is root, of the whole system and not of some container.
fn root() -> bool {
    let ids = std::fs::read_to_string("/proc/self/uid_map").expect("/proc is mounted");
    let all = ids.split_whitespace().eq(["0", "0", "4294967295"]);
    rustix::process::geteuid() == rustix::process::Uid::ROOT && all
}
