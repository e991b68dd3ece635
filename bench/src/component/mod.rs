//! The other side of a benchmark: a process whose objects echo, make objects, play the floor's ping-pong, and call
//! others, as they are told.
//!
//! It is started with a portal to the benchmark, as any component is, with the floor's memory as its standard input and
//! the floor's socket as its standard output; it ends with the benchmark.

mod afterwards;
pub(crate) mod interface;
mod objects;
mod receiver;
mod worker;

use crate::cores::Cores;
use crate::error::Error;
use crate::floor::{self, Link, Memory, Part, Waiting};
use crate::meter;
use crate::process::PATIENCE;
use crate::stream::Load;
use afterwards::Afterwards;
use interface::{Component, Holdings, Objects, Receiver};
pub(crate) use objects::Mirror;
use objects::{MirrorFactory, Visitor};
use portcullis_entrypoint::{Entrypoint, SignalLevel, WeakEntrypoint};
use portcullis_ipc::{self as ipc, Limits, Pd, PdOptions};
use portcullis_rpc::{self as rpc, Capability, DataspaceCapability, SignalCapability};
use receiver::ReceiverObject;
use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use worker::WorkerObject;

/// The objects that a component grants to each client at most: those of the largest case, and some.
const MOST_OBJECTS: u32 = 1_001_000;

/// What the process does that a benchmark has started: returns when the benchmark ends.
///
/// A program that runs a benchmark must call this when it is started with the arguments that it names in its
/// [`Program`](crate::Program). A failure is told on the standard error.
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
        link: Rc::new(Link::of(&std::io::stdout())?),
        afterwards: afterwards.clone(),
        runs: Rc::default(),
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
    link: Rc<Link>,
    afterwards: Afterwards,
    /// How often handlers of signals have run.
    runs: Rc<Cell<u64>>,
}

impl Component for ComponentObject {
    fn objects(&mut self) -> Result<Objects, rpc::Error> {
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        Ok(Objects {
            echo: entrypoint.manage(Mirror),
            factory: entrypoint.manage(MirrorFactory::new(&entrypoint)),
            guest: entrypoint.manage(Visitor::default()),
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

    fn bell(&mut self, answer: Option<SignalCapability>) -> Result<SignalCapability, rpc::Error> {
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        let runs = self.runs.clone();
        let ring = move |answer: &mut Option<SignalCapability>, _: &Entrypoint| {
            runs.set(runs.get() + 1);
            if let Some(answer) = answer {
                answer.submit();
            }
        };
        Ok(entrypoint.manage_signal(answer, SignalLevel::Application, ring))
    }

    fn runs(&mut self) -> Result<u64, rpc::Error> {
        Ok(self.runs.get())
    }

    fn take_by_hand(&mut self) -> Result<(), rpc::Error> {
        let memory = self.memory.clone();
        self.afterwards.put(move || floor::take_signals(&memory, parent_lives()));
        Ok(())
    }

    fn by_hand(&mut self, part: Part) -> Result<(), rpc::Error> {
        let link = self.link.clone();
        self.afterwards.put(move || part.play(&link));
        Ok(())
    }

    fn receiver(
        &mut self,
        dataspace: DataspaceCapability,
        load: Load,
    ) -> Result<Capability<dyn Receiver>, rpc::Error> {
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        Ok(entrypoint.manage(ReceiverObject::new(&dataspace, load, self.afterwards.clone())?))
    }

    fn holdings(&mut self) -> Result<Holdings, rpc::Error> {
        let usage = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?.usage();
        Ok(Holdings { descriptors: meter::descriptors()?, rows: usage.rows, objects: usage.objects })
    }
}

/// Says, whenever it is asked, whether the parent is still that of now: who loops must not outlive it.
fn parent_lives() -> impl FnMut() -> Result<(), Error> {
    let parent = rustix::process::getppid();
    move || {
        if rustix::process::getppid() == parent { Ok(()) } else { Err(ipc::Error::ParentGone.into()) }
    }
}
