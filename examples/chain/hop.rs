//! The hop component: holds the capability for a while, and hands it on or calls its object.

use super::descriptors;
use super::interface::{Called, Hop, Target};
use crate::Failure;
use crate::serve_parent;
use portcullis_entrypoint::{Entrypoint, Error};
use portcullis_ipc::Limits;
use portcullis_rpc::Capability;
use std::time::Instant;

/// The parent, and the hop before.
const LIMITS: Limits = Limits { rows: 1, contexts: 0, channels: 4, portals: 2 };

/// Runs the component: serves the parent until it ends or lets go of the hop.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    serve_parent(LIMITS, manage)
}

/// Has an entrypoint manage a hop that holds nothing yet.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Hop> {
    entrypoint.manage(Place(None))
}

/// Where the capability is while it is here.
struct Place(Option<Capability<dyn Target>>);

impl Hop for Place {
    fn take(&mut self, target: Capability<dyn Target>) -> Result<(), Failure> {
        self.0 = Some(target);
        Ok(())
    }

    fn pass(&mut self, next: Capability<dyn Hop>) -> Result<(), Failure> {
        let target = self.0.take().ok_or(Failure::Empty)?;
        next.client().take(target)
    }

    fn call(&mut self) -> Result<Called, Failure> {
        let target = self.0.as_ref().ok_or(Failure::Empty)?;
        let start = Instant::now();
        let answer = target.client().answer()?;
        Ok(Called { answer, time: start.elapsed() })
    }

    fn descriptors(&mut self) -> Result<u32, Failure> {
        descriptors()
    }
}
