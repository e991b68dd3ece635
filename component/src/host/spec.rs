//! What a child is started from, and how it runs.

use super::policy::Exit;
use crate::connection::Connection;
use crate::env::Env;
use crate::protocol::Component;
use crate::quota::Quota;
use crate::run::{Constructed, live};
use crate::sandbox::{self, Mode, PROGRAM, Sandbox};
use crate::spawn::Spawn;
use portcullis_entrypoint::{self as entrypoint, Entrypoint, EntrypointHandle};
use portcullis_ipc::{self as ipc, Pd};
use portcullis_rpc::Capability;
use rustix::process::{Pid, Signal, kill_process};
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::once::Giver;

/// A child that is to be started.
///
/// ```
/// use portcullis_component::host::Spec;
/// use portcullis_component::{Env, Quota};
/// use std::process::Command;
///
/// let quota = Quota::new(1 << 20, 100);
/// let process = Spec::process("logger", quota, Command::new("logger"));
/// let thread = Spec::thread("same", quota, |env: Env| env.exit(0));
/// println!("{process:?} {thread:?}");
/// ```
#[derive(Debug)]
pub struct Spec {
    pub(crate) name: String,
    pub(crate) quota: Quota,
    pub(crate) program: Program,
}

pub(crate) enum Program {
    Process(Box<Command>),
    Confined(Box<(Sandbox, sandbox::Program)>),
    Spawned(Mode, Box<sandbox::Program>),
    Thread(Box<Life>, Stopper),
}

impl Program {
    /// The limit of the memory group that it is started with, if it is to have one, in bytes.
    pub(crate) fn memory(&self, quota: Quota) -> Option<u64> {
        match self {
            Program::Confined(confined) => confined.0.bounds.memory,
            Program::Spawned(..) => Some(quota.ram.in_bytes().saturating_add(PROGRAM)),
            Program::Process(_) | Program::Thread(..) => None,
        }
    }
}

/// A component on a thread: it is told where to offer its first object.
pub(crate) type Life = dyn FnOnce(Giver<Capability<dyn Component>>) -> Result<i32, entrypoint::Error> + Send;

/// What ends a component that is a thread, from before it begins. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stopper {
    stopped: Arc<AtomicBool>,
    /// Once there is one.
    entrypoint: Arc<Mutex<Option<EntrypointHandle>>>,
}

impl Stopper {
    /// Ends it when its handler returns, or as soon as it has begun.
    fn stop(&self) {
        // Before the lock is taken here: whoever has taken it before it sees this after it, or has left what is to be stopped.
        self.stopped.store(true, Ordering::Relaxed);
        self.entrypoint().iter().for_each(EntrypointHandle::stop);
    }

    /// This is what is to be stopped; at once if that was said already.
    fn stops(&self, entrypoint: &EntrypointHandle) {
        *self.entrypoint() = Some(entrypoint.clone());
        if self.stopped.load(Ordering::Relaxed) {
            entrypoint.stop();
        }
    }

    fn entrypoint(&self) -> MutexGuard<'_, Option<EntrypointHandle>> {
        self.entrypoint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spec {
    /// A process. It has what the command says and one descriptor more, its portal.
    #[must_use]
    pub fn process(name: &str, quota: Quota, command: Command) -> Spec {
        Spec { name: name.into(), quota, program: Program::Process(Box::new(command)) }
    }

    /// A process in a sandbox.
    #[must_use]
    pub fn confined(name: &str, quota: Quota, sandbox: Sandbox, program: sandbox::Program) -> Spec {
        Spec { name: name.into(), quota, program: Program::Confined(Box::new((sandbox, program))) }
    }

    /// A process that the parent's own parent, or whoever it has found, starts in a sandbox: by a session of
    /// [`spawn`](mod@crate::spawn). What that takes is the parent's own. Only a parent [within](super::Host::within) another one can
    /// have it started.
    #[must_use]
    pub fn spawned(name: &str, quota: Quota, mode: Mode, program: sandbox::Program) -> Spec {
        Spec { name: name.into(), quota, program: Program::Spawned(mode, Box::new(program)) }
    }

    /// A thread of this process with a protection domain of its own, for tests and for embedding. Nothing confines it, it cannot be
    /// killed, and all threads of a process share the 16 lanes to its parent.
    #[must_use]
    pub fn thread<R: Constructed>(
        name: &str,
        quota: Quota,
        construct: impl FnOnce(Env) -> R + Send + 'static,
    ) -> Spec {
        let stopper = Stopper::default();
        let of_life = stopper.clone();
        let life = move |giver: Giver<Capability<dyn Component>>| {
            let pd = Pd::new()?;
            let entrypoint = Entrypoint::new(&pd)?;
            of_life.stops(&entrypoint.handle());
            live(&pd, &entrypoint, of_life.stopped, construct, |birth| {
                giver.give(birth.clone());
                Ok(())
            })
        };
        Spec { name: name.into(), quota, program: Program::Thread(Box::new(life), stopper) }
    }
}

/// A child that runs.
pub(crate) enum Running {
    Process(ipc::Child),
    Confined(sandbox::Child),
    Spawned(Spawned),
    Thread(Stopper),
}

/// A process that somebody else has started. Dropped, it is ended.
pub(crate) struct Spawned {
    pub(crate) process: u32,
    pub(crate) session: Connection<dyn Spawn>,
    pub(crate) mode: Mode,
}

impl Running {
    /// Its process, if it is one.
    pub(crate) fn process(&self) -> Option<u32> {
        match self {
            Running::Process(child) => Some(child.id()),
            Running::Confined(child) => Some(child.id()),
            Running::Spawned(spawned) => Some(spawned.process),
            Running::Thread(_) => None,
        }
    }

    /// Whether system calls are certainly kept from it.
    pub(crate) fn is_confined(&self) -> bool {
        match self {
            Running::Confined(child) => child.is_filtered(),
            // Who started it does not say which layers there were, but in this mode.
            Running::Spawned(spawned) => spawned.mode == Mode::Strict,
            Running::Process(_) | Running::Thread(_) => false,
        }
    }

    /// Ends it: a process at once, a thread when its handler returns.
    pub(crate) fn end(&mut self) {
        match self {
            Running::Confined(child) => child.end(),
            Running::Process(_) => {
                // It was not waited for yet, so the number is its own. That it is gone is seen later: nobody waits for it here.
                let number = self.process().and_then(|process| process.try_into().ok());
                if let Some(process) = number.and_then(Pid::from_raw) {
                    let _ = kill_process(process, Signal::KILL);
                }
            }
            // Whoever has started it is waited for, as a parent is. Without him it has ended.
            Running::Spawned(spawned) => drop(spawned.session.kill()),
            Running::Thread(stopper) => stopper.stop(),
        }
    }

    /// How it ended, as the system says.
    pub(crate) fn exit(&mut self) -> Exit {
        match self {
            Running::Process(child) => child.wait().map_or(Exit::Unknown, how),
            Running::Confined(child) => child.wait().map_or(Exit::Unknown, how),
            Running::Spawned(_) | Running::Thread(_) => Exit::Unknown,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A process is ended by its own drop, which knows whether its number is still its own.
        if let Running::Thread(_) = self {
            self.end();
        }
    }
}

pub(crate) fn how(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Program::Process(command) => f.debug_tuple("Process").field(&command.get_program()).finish(),
            Program::Confined(confined) => f.debug_tuple("Confined").field(&confined.1.path()).finish(),
            Program::Spawned(mode, program) => {
                f.debug_tuple("Spawned").field(mode).field(&program.path()).finish()
            }
            Program::Thread(..) => f.write_str("Thread"),
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process() {
            Some(process) => f.debug_tuple("Process").field(&process).finish(),
            None => f.write_str("Thread"),
        }
    }
}
