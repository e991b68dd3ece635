//! A well-behaved peer in a process of its own: `peer ROWS` serves its parent, and grants ROWS rows to each client.

use portcullis_ipc::{Error, Limits};
use portcullis_tests::host::patient;
use portcullis_tests::service::serve_parent;

fn main() -> Result<(), Error> {
    // Whatever becomes of the test, its peers do not stay behind.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let rows = std::env::args().nth(1).and_then(|rows| rows.parse().ok());
    let limits = rows.map_or_else(Limits::default, |rows| Limits { rows, ..Limits::default() });
    serve_parent(&patient()?, limits)
}
