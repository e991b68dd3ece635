//! A vault as a process.

use super::Vault;
use super::keeper::Keeper;
use crate::host::patient;
use portcullis_entrypoint::{Entrypoint, Error};
use portcullis_ipc::{Child, WaitPolicy};
use portcullis_rpc::{Capability, Client};
use std::path::Path;
use std::process::Command;

/// A running vault; dropping it ends it.
pub struct Host {
    /// Its object.
    pub root: Capability<dyn Vault>,
    /// Its process.
    pub child: Child,
}

impl Host {
    /// Starts it: `program` is the binary `vault` of this package.
    ///
    /// # Errors
    /// As `Pd::spawn`.
    pub fn start(program: impl AsRef<Path>) -> Result<Host, Error> {
        let (child, root) = patient(WaitPolicy::Adaptive)?.spawn(Command::new(program.as_ref()))?;
        Ok(Host { root: Capability::from_untyped(root), child })
    }

    /// Its client.
    #[must_use]
    pub fn client(&self) -> Client<dyn Vault> {
        self.root.client()
    }
}

/// The whole program of a process that is a vault: serves the parent until that ends.
///
/// # Errors
/// As `Entrypoint::new` and `Entrypoint::run`.
pub fn serve_parent() -> Result<(), Error> {
    let entrypoint = Entrypoint::new(&patient(WaitPolicy::Adaptive)?)?;
    let root: Capability<dyn Vault> = entrypoint.manage(Keeper::new());
    entrypoint.serve_parent(&root)?;
    match entrypoint.run() {
        Err(Error::Transport(portcullis_ipc::Error::ParentGone)) => Ok(()),
        ended => ended,
    }
}
