//! A well-behaved peer in a process of its own: `peer ROWS [spin]` serves its parent, grants ROWS rows to each client,
//! and if told so never sleeps, on the last core.

use portcullis_ipc::{Error, Limits, WaitPolicy};
use portcullis_tests::cores::last_core;
use portcullis_tests::host::patient;
use portcullis_tests::service::serve_parent;

fn main() -> Result<(), Error> {
    // Whatever becomes of the test, its peers do not stay behind.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let rows = std::env::args().nth(1).and_then(|rows| rows.parse().ok());
    let limits = rows.map_or_else(Limits::default, |rows| Limits { rows, ..Limits::default() });
    let mut wait = WaitPolicy::Adaptive;
    if std::env::args().nth(2).is_some() {
        wait = WaitPolicy::Spin;
        last_core();
    }
    serve_parent(&patient(wait)?, limits)
}
