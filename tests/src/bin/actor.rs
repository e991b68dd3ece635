//! Actors in a process of their own: `actor FAULT MILLISECONDS` has that fault, and waits so long for its own calls.

use portcullis_ipc::{Deadline, Error, Pd, PdOptions};
use portcullis_tests::authority::actor::{Fault, serve_parent};
use std::time::Duration;

fn main() -> Result<(), Error> {
    // Whatever becomes of the test, its processes do not stay behind.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let mut arguments = std::env::args().skip(1);
    let fault = arguments.next().map_or(Fault::None, |name| Fault::named(&name));
    let patience = arguments.next().and_then(|time| time.parse().ok()).map(Duration::from_millis);
    let deadline = patience.map_or(Deadline::Never, Deadline::After);
    serve_parent(&Pd::with(PdOptions { deadline, ..PdOptions::default() })?, fault)
}
