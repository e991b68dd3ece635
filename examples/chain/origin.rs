//! The origin component: makes an object, and lives where it does.

use super::descriptors;
use super::interface::{Answer, Holdings, Origin, Target};
use crate::Failure;
use crate::serve_parent;
use portcullis_entrypoint::{Entrypoint, Error, WeakEntrypoint};
use portcullis_ipc::Limits;
use portcullis_rpc::{self as rpc, Capability};

/// The parent holds the origin, and an object until it has handed that on. The hops come one after the other; those
/// that have ended may not have been noticed yet.
const LIMITS: Limits = Limits { rows: 16, contexts: 0, channels: 64, portals: 16 };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    serve_parent(LIMITS, manage)
}

/// Has an entrypoint manage an origin.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Origin> {
    entrypoint.manage(Maker(entrypoint.downgrade()))
}

struct Maker(WeakEntrypoint);

impl Maker {
    fn entrypoint(&self) -> Result<Entrypoint, Failure> {
        // It lives while one of its methods runs.
        Ok(self.0.upgrade().ok_or(rpc::Error::Disconnected)?)
    }
}

impl Origin for Maker {
    fn open(&mut self) -> Result<Capability<dyn Target>, Failure> {
        Ok(self.entrypoint()?.manage_counted(Object { calls: 0 }, |_, entrypoint| {
            entrypoint.dissolve_current();
        }))
    }

    fn holdings(&mut self) -> Result<Holdings, Failure> {
        let usage = self.entrypoint()?.usage();
        Ok(Holdings {
            descriptors: descriptors()?,
            channels: usage.channels,
            rows: usage.rows,
            objects: usage.objects,
        })
    }
}

struct Object {
    calls: u64,
}

impl Target for Object {
    fn answer(&mut self) -> Result<Answer, Failure> {
        self.calls += 1;
        Ok(Answer { process: std::process::id(), calls: self.calls })
    }
}
