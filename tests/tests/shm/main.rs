//! Dataspaces between real processes: an owner, whoever it lends them to, and whoever means harm. The names begin with the line of
//! the checklist that they stand for.

mod hostile_clients;
mod hostile_makers;
mod life;
mod owners;

use portcullis_rpc::Client;
use portcullis_tests::vault::{Host, Vault, VaultError};
use portcullis_tests::watchdog::Watchdog;
use std::time::Duration;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const PAGE: usize = 4096;

/// What no test takes, even on a machine under load.
fn watchdog() -> Watchdog {
    Watchdog::start(Duration::from_secs(120))
}

/// A vault in a process of its own.
fn vault() -> Result<(Host, Client<dyn Vault>), portcullis_entrypoint::Error> {
    let host = Host::start(env!("CARGO_BIN_EXE_vault"))?;
    let client = host.client();
    Ok((host, client))
}

/// The name of the error of the other process's memory.
fn kind<T: std::fmt::Debug>(result: Result<T, VaultError>) -> String {
    match result {
        Err(VaultError::Memory { kind, .. }) => kind,
        other => panic!("it came to {other:?}"),
    }
}
