//! Capabilities that are passed on to those who have not met the object's server.

use super::pair::Calls;
use crate::alternation::{Comparison, Plan, Side, compare};
use crate::component::Mirror;
use crate::component::interface::{Echo, Guest};
use crate::error::Error;
use crate::floor::{Part, introduce};
use crate::process::{PATIENCE, Process, Program, SharedMemory};
use portcullis_entrypoint::{Entrypoint, EntrypointHandle};
use portcullis_ipc::{Doorbell, Pd, PdOptions};
use portcullis_rpc::{Capability, Client};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

/// Calls that pass a capability on to a guest, who calls its object once.
struct Visits<'a> {
    guest: Client<dyn Guest>,
    object: &'a Capability<dyn Echo>,
}

impl Side for Visits<'_> {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        Ok(self.guest.call(self.object.clone())?)
    }
}

/// The same by hand: introduces the two, who exchange a message.
struct Introductions<'a> {
    caller: &'a Process,
    server: &'a Process,
}

impl Side for Introductions<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        self.caller.play(Part::Caller)?;
        self.server.play(Part::Server)
    }

    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        introduce(&self.caller.link, &self.server.link)
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.caller.link.stop()?;
        self.server.link.stop()
    }
}

/// Passes the capability to an object of one process on to another, which calls it; beside a socket that is passed on.
pub(crate) fn third_party(program: &Program, plan: Plan) -> Result<Comparison, Error> {
    let shared = SharedMemory::new()?;
    let server = Process::start(program, &shared, Doorbell::default())?;
    let caller = Process::start(program, &shared, Doorbell::default())?;
    let mut ours = Visits { guest: caller.objects.guest.client(), object: &server.objects.echo };
    let mut floor = Introductions { caller: &caller, server: &server };
    compare(plan, &[&server, &caller], &mut ours, &mut floor)
}

/// Two calls, one after the other.
struct TwoCalls(Calls);

impl Side for TwoCalls {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        self.0.operate()?;
        self.0.operate()
    }
}

/// Passes the capability to an object of this process on to a server, which calls it back; beside two plain calls.
pub(crate) fn callback(program: &Program, plan: Plan) -> Result<Comparison, Error> {
    let shared = SharedMemory::new()?;
    let server = Process::start(program, &shared, Doorbell::default())?;
    let host = Host::start()?;
    let mut ours = Visits { guest: server.objects.guest.client(), object: &host.object };
    let mut floor = TwoCalls(Calls::new(&server.objects.echo, 0));
    compare(plan, &[&server], &mut ours, &mut floor)
}

/// An object of this process, on a thread of its own that ends with this.
struct Host {
    object: Capability<dyn Echo>,
    entrypoint: EntrypointHandle,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    fn start() -> Result<Host, Error> {
        let (to_us, from_thread) = channel();
        let thread = std::thread::spawn(move || {
            let made = Pd::with(PdOptions { deadline: PATIENCE, ..PdOptions::default() })
                .map_err(Error::from)
                .and_then(|pd| Ok(Entrypoint::new(&pd)?));
            match made {
                Ok(entrypoint) => {
                    let _ = to_us.send(Ok((entrypoint.manage(Mirror), entrypoint.handle())));
                    // If it fails, so do the calls.
                    let _ = entrypoint.run();
                }
                Err(error) => to_us.send(Err(error)).unwrap_or_default(),
            }
        });
        let (object, entrypoint) =
            from_thread.recv().map_err(|_| Error::Misunderstood("an object of our own"))??;
        Ok(Host { object, entrypoint, thread: Some(thread) })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.entrypoint.stop();
        // It has nothing to say.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
