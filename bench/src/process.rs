//! A component that was started, seen from the benchmark.

use crate::component::interface::{Component, Objects};
use crate::error::Error;
use crate::floor::{Link, Memory, Part};
use portcullis_ipc::{Child, Deadline, Doorbell, Pd, PdOptions};
use portcullis_rpc::{Capability, Client};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The program that is started as the other side of a benchmark: it must call
/// [`component::main`](crate::component::main).
///
/// ```
/// use portcullis_bench::Program;
///
/// let program = Program::this_one(["component", "bench-call"]);
/// assert_eq!(program.arguments.len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// The program that runs now, even if its file was replaced meanwhile, with other arguments.
    #[must_use]
    pub fn this_one<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Program {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Program { path: "/proc/self/exe".into(), arguments }
    }

    fn command(&self, memory: OwnedFd, link: OwnedFd) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).stdin(Stdio::from(memory)).stdout(Stdio::from(link));
        command
    }
}

/// How long any call of a benchmark may take: the longest run, on a machine with much else to do.
pub(crate) const PATIENCE: Deadline = Deadline::After(Duration::from_secs(60));

/// A component, and what the floor has of it besides.
pub(crate) struct Process {
    component: Capability<dyn Component>,
    /// Its objects.
    pub(crate) objects: Objects,
    /// By which descriptors are passed by hand.
    pub(crate) link: Link,
    _child: Child,
}

/// The floor's memory of a case, and the file by which its processes get it.
pub(crate) struct SharedMemory {
    pub(crate) memory: Memory,
    file: OwnedFd,
}

impl SharedMemory {
    pub(crate) fn new() -> Result<SharedMemory, Error> {
        let (memory, file) = Memory::new()?;
        Ok(SharedMemory { memory, file })
    }
}

impl Process {
    /// Starts a component that shares the memory.
    pub(crate) fn start(program: &Program, shared: &SharedMemory, bell: Doorbell) -> Result<Process, Error> {
        let pd = Pd::with(PdOptions { doorbell: bell, deadline: PATIENCE, ..PdOptions::default() })?;
        let memory = shared.file.try_clone().map_err(Error::io("fcntl(F_DUPFD_CLOEXEC)"))?;
        let (link, its_link) = Link::new()?;
        let (child, first) = pd.spawn(program.command(memory, its_link))?;
        let component: Capability<dyn Component> = Capability::from_untyped(first);
        let objects = component.client().objects()?;
        Ok(Process { component, objects, link, _child: child })
    }

    /// Has it play a part by hand, until its link says stop.
    pub(crate) fn play(&self, part: Part) -> Result<(), Error> {
        Ok(self.component().by_hand(part)?)
    }

    /// The component itself, to be asked for something.
    pub(crate) fn component(&self) -> Client<dyn Component> {
        self.component.client()
    }
}
