//! A process that owns dataspaces and attaches those of others.

fn main() -> Result<(), portcullis_entrypoint::Error> {
    // Whatever becomes of the test, its peers do not stay behind.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    portcullis_tests::vault::serve_parent()
}
