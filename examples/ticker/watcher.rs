//! The watcher component: a signal says that the clock has changed, a call says how.

use super::interface::{Clock, Seen, Watcher};
use crate::failure::Failure;
use crate::serve_parent;
use portcullis_entrypoint::{Entrypoint, Error, SignalLevel, WeakEntrypoint};
use portcullis_ipc::Limits;
use portcullis_rpc::{self as rpc, Capability, Client};
use std::time::Duration;

/// The parent holds the watcher, the clock its signal context.
const LIMITS: Limits = Limits { rows: 2, contexts: 2, channels: 4, portals: 2 };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    serve_parent(LIMITS, manage)
}

fn manage(entrypoint: &Entrypoint) -> Capability<dyn Watcher> {
    let look = Look {
        entrypoint: entrypoint.downgrade(),
        clock: None,
        busy: Duration::ZERO,
        seen: Ok(Seen::default()),
    };
    entrypoint.manage(look)
}

struct Look {
    entrypoint: WeakEntrypoint,
    /// Once it watches.
    clock: Option<Client<dyn Clock>>,
    busy: Duration,
    seen: Result<Seen, Failure>,
}

impl Watcher for Look {
    fn watch(&mut self, clock: Capability<dyn Clock>, busy: Duration) -> Result<(), Failure> {
        if self.clock.is_some() {
            return Err(Failure::Begun);
        }
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        let changed =
            entrypoint.handle_signal_here(SignalLevel::Application, |look: &mut Look, _| look.look());
        let changed = changed.map_err(|_| rpc::Error::Disconnected)?;
        let mut client = clock.client();
        client.sigh(changed)?;
        (self.clock, self.busy) = (Some(client), busy);
        Ok(())
    }

    fn seen(&mut self) -> Result<Seen, Failure> {
        self.seen.clone()
    }
}

impl Look {
    /// The clock has changed, once or several times.
    fn look(&mut self) {
        let Some(clock) = &mut self.clock else { return };
        let ticks = clock.ticks();
        self.seen = self.seen.clone().and_then(|seen| Ok(Seen { ticks: ticks?, runs: seen.runs + 1 }));
        std::thread::sleep(self.busy);
    }
}
