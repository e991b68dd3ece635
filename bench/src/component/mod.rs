//! The other side of a benchmark: a process whose objects echo, make objects, play the floor's ping-pong, and call
//! others, as they are told.
//!
//! It is started with a portal to the benchmark, as any component is, and with the floor's memory as its standard
//! input; it ends with the benchmark.

mod afterwards;
pub(crate) mod interface;
mod objects;
mod worker;

use crate::cores::Cores;
use crate::error::Error;
use crate::floor::{self, Memory, Waiting};
use crate::meter;
use crate::process::PATIENCE;
use afterwards::Afterwards;
use interface::{Component, Objects};
use objects::{Mirror, MirrorFactory};
use portcullis_entrypoint::{Entrypoint, WeakEntrypoint};
use portcullis_ipc::{self as ipc, Limits, Pd, PdOptions};
use portcullis_rpc::{self as rpc, Capability};
use std::process::ExitCode;
use std::rc::Rc;
use worker::WorkerObject;

/// The objects that a component grants to each client at most: those of the largest case, and some.
const MOST_OBJECTS: u32 = 1_001_000;

/// What the process does that a benchmark has started: returns when the benchmark ends.
///
/// A program that calls [`call::run`](crate::call::run) must call this when it is started with the arguments that it
/// names in its [`Program`](crate::Program). A failure is told on the standard error.
#[must_use]
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) | Err(Error::Call(rpc::Error::Transport(ipc::Error::ParentGone))) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("a component of the benchmark failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Error> {
    let limits = Limits { rows: MOST_OBJECTS, ..Limits::default() };
    let pd = Pd::with(PdOptions { deadline: PATIENCE, ..PdOptions::default() })?;
    let entrypoint = Entrypoint::with(&pd, limits)?;
    let afterwards = Afterwards::new(&entrypoint);
    let component: Capability<dyn Component> = entrypoint.manage(ComponentObject {
        pd,
        entrypoint: entrypoint.downgrade(),
        cores: Cores::available()?,
        memory: Rc::new(Memory::map(&std::io::stdin())?),
        afterwards: afterwards.clone(),
    });
    entrypoint.serve_parent(&component)?;
    loop {
        entrypoint.run()?;
        afterwards.carry_out()?;
    }
}

struct ComponentObject {
    pd: Pd,
    entrypoint: WeakEntrypoint,
    cores: Cores,
    memory: Rc<Memory>,
    afterwards: Afterwards,
}

impl Component for ComponentObject {
    fn objects(&mut self) -> Result<Objects, rpc::Error> {
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        Ok(Objects {
            echo: entrypoint.manage(Mirror),
            factory: entrypoint.manage(MirrorFactory::new(&entrypoint)),
            worker: entrypoint.manage(WorkerObject::new(self.memory.clone(), self.afterwards.clone())),
        })
    }

    fn untyped(&mut self) -> Result<Capability<()>, rpc::Error> {
        Ok(objects::untyped(&self.pd).map(Capability::from_untyped)?)
    }

    fn bind(&mut self, core: Option<usize>) -> Result<(), rpc::Error> {
        Ok(self.cores.bind(core)?)
    }

    fn cpu_time(&mut self) -> Result<u64, rpc::Error> {
        Ok(meter::cpu_time())
    }

    fn floor(&mut self, waiting: Waiting, bytes: usize) -> Result<(), rpc::Error> {
        let memory = self.memory.clone();
        self.afterwards.put(move || floor::serve(&memory, waiting, bytes, parent_lives()));
        Ok(())
    }
}

/// Says, whenever it is asked, whether the parent is still that of now: who loops must not outlive it.
fn parent_lives() -> impl FnMut() -> Result<(), Error> {
    let parent = rustix::process::getppid();
    move || {
        if rustix::process::getppid() == parent { Ok(()) } else { Err(ipc::Error::ParentGone.into()) }
    }
}
