//! An entrypoint in a process of its own, which serves its parent.

use portcullis_entrypoint::Error;
use portcullis_ipc::WaitPolicy;
use portcullis_tests::host::patient;
use portcullis_tests::{place, station};

fn main() -> Result<(), Error> {
    // Whatever becomes of the test, its peers do not stay behind.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    place::serve_parent(&patient(WaitPolicy::Adaptive)?, station::manage)
}
