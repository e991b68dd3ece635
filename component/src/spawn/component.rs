//! The server's side: starts processes for those who may have them, confined as much as they are themselves at least.

use super::{Confinement, Spawn};
use crate::error::Error;
use crate::host::{Exit, Reaper, how};
use crate::label::Label;
use crate::protocol::Component;
use crate::quota::Quota;
use crate::sandbox::{self, Bounds, MOST_DESCRIPTORS, Mode, PROGRAM, Program, Sandbox};
use crate::service::{Opening, Sessions};
use crate::{Budget, Env};
use portcullis_rpc::{Capability, SignalCapability};
use portcullis_shm::{RamQuota, Reservation};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::rc::{Rc, Weak};

/// What the processes of one client may be.
///
/// ```
/// use portcullis_component::sandbox::Mode;
/// use portcullis_component::spawn::Allowance;
///
/// let allowance = Allowance { mode: Mode::Strict, memory: 16 << 20 };
/// assert!(allowance.mode <= Mode::Available, "it may have no more of them than is confined as itself");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How much they are confined at least.
    pub mode: Mode,
    /// What all of them together may be given of memory, in bytes.
    pub memory: u64,
}

/// Serves spawn sessions.
///
/// ```
/// use portcullis_component::spawn::SpawnComponent;
///
/// // Nobody may have any.
/// let nobody = SpawnComponent::new("/usr/libexec", |_| None);
/// ```
pub struct SpawnComponent {
    shared: Rc<Shared>,
}

struct Shared {
    directory: PathBuf,
    allowed: Box<Allowed>,
    reaper: RefCell<Reaper>,
    /// What the processes of each client have been given.
    given: RefCell<BTreeMap<String, u64>>,
}

type Allowed = dyn Fn(&str) -> Option<Allowance>;

impl SpawnComponent {
    /// Starts programs whose relative paths begin at that directory, for the clients whom the closure allows some: it is asked for the
    /// first hop of their label, and may answer differently each time.
    #[must_use]
    pub fn new(
        directory: impl Into<PathBuf>,
        allowed: impl Fn(&str) -> Option<Allowance> + 'static,
    ) -> SpawnComponent {
        let (directory, allowed) = (directory.into(), Box::new(allowed));
        let (reaper, given) = (RefCell::default(), RefCell::default());
        SpawnComponent { shared: Rc::new(Shared { directory, allowed, reaper, given }) }
    }
}

impl Sessions<dyn Spawn> for SpawnComponent {
    type Session = SpawnSession;

    /// The object, the context that it signals, and the process with its descriptors and its group.
    fn needs(&self, (): &()) -> Quota {
        Quota::new(16 << 10, 8)
    }

    fn create(&mut self, opening: Opening<()>) -> Result<SpawnSession, Error> {
        let Opening { label, budget, env, .. } = opening;
        let client = first(&label).unwrap_or_default().to_owned();
        if (self.shared.allowed)(&client).is_none() {
            return Err(Error::denied("spawn", "this client may start no processes"));
        }
        let process = Rc::<Process>::default();
        Ok(SpawnSession {
            client,
            shared: self.shared.clone(),
            env,
            budget,
            arguments: Vec::new(),
            paid: Vec::new(),
            process,
        })
    }

    fn close(&mut self, session: SpawnSession) {
        session.settle(0);
    }
}

fn first(label: &Label) -> Option<&str> {
    label.hops().first().map(String::as_str)
}

/// One process: what a [`SpawnComponent`] makes of a request.
///
/// ```
/// use portcullis_component::Sessions;
/// use portcullis_component::spawn::{Spawn, SpawnComponent, SpawnSession};
///
/// fn is_made<S: Sessions<dyn Spawn, Session = SpawnSession>>() {}
/// is_made::<SpawnComponent>();
/// ```
pub struct SpawnSession {
    client: String,
    shared: Rc<Shared>,
    env: Env,
    budget: Budget,
    /// The last one is not complete yet.
    arguments: Vec<Vec<u8>>,
    paid: Vec<Reservation>,
    process: Rc<Process>,
}

/// The process, for its session and for the task that sees it end. Dropped, it is killed.
#[derive(Default)]
struct Process {
    child: RefCell<Option<sandbox::Child>>,
    /// Its first object: a process ends when whoever started it lets go of that.
    first: RefCell<Option<Capability<dyn Component>>>,
    exit: Cell<Option<Exit>>,
    listener: RefCell<Option<SignalCapability>>,
    /// What it has been given.
    memory: Cell<u64>,
}

impl Process {
    fn has_ended(&self) {
        let child = self.child.take();
        self.first.take();
        let exit = child.and_then(|mut child| child.wait().ok()).map_or(Exit::Unknown, how);
        self.exit.set(Some(exit));
        self.listener.borrow().iter().for_each(SignalCapability::submit);
    }
}

impl SpawnSession {
    fn program(&self) -> Result<Program, Error> {
        let mut arguments = self.arguments.iter().map(|argument| OsString::from_vec(argument.clone()));
        let path = arguments.next().ok_or(Error::BadArguments)?;
        // What comes after the last complete one is empty.
        let count = self.arguments.len().saturating_sub(2);
        Ok(arguments.take(count).fold(Program::new(self.shared.directory.join(path)), Program::argument))
    }

    fn sandbox(&self, confinement: Confinement) -> Result<Sandbox, Error> {
        let allowance = (self.shared.allowed)(&self.client);
        let Some(Allowance { mode, .. }) = allowance.filter(|allowance| confinement.mode <= allowance.mode)
        else {
            return Err(Error::denied("spawn", "a process is confined as much as who starts it, at least"));
        };
        debug_assert!(confinement.mode <= mode, "that is what was asked");
        let memory = Some(confinement.memory.saturating_add(PROGRAM));
        let descriptors = confinement.descriptors.min(MOST_DESCRIPTORS);
        let bounds = Bounds { memory, descriptors, ..Bounds::default() };
        Ok(Sandbox { mode: confinement.mode, bounds, ..Sandbox::default() })
    }

    /// Takes so much of what the client may give to its processes, in place of what this one has.
    fn take(&self, memory: u64) -> Result<(), Error> {
        let most = (self.shared.allowed)(&self.client).map_or(0, |allowance| allowance.memory);
        let given = self.shared.given.borrow().get(&self.client).copied().unwrap_or_default();
        let others = given.saturating_sub(self.process.memory.get());
        match others.checked_add(memory).filter(|sum| *sum <= most) {
            Some(_) => {
                self.settle(memory);
                Ok(())
            }
            None => {
                let missing = others.saturating_add(memory).saturating_sub(most);
                Err(Error::OutOfRam { missing: RamQuota::bytes(missing) })
            }
        }
    }

    fn settle(&self, memory: u64) {
        let mut given = self.shared.given.borrow_mut();
        let before = self.process.memory.replace(memory);
        let of_client = given.entry(self.client.clone()).or_default();
        *of_client = of_client.saturating_sub(before).saturating_add(memory);
        if *of_client == 0 {
            given.remove(&self.client);
        }
    }

    fn begin(&self, program: &Program, sandbox: &Sandbox) -> Result<(u32, Capability<dyn Component>), Error> {
        let failed = |error: sandbox::Error| Error::not_started(&error);
        let (child, first) = sandbox.start(self.env.pd(), program).map_err(failed)?;
        let number = child.id();
        let ended = self.shared.reaper.borrow_mut().watch(number);
        let ended = ended.map_err(|error| Error::not_started(&error))?;
        let first: Capability<dyn Component> = Capability::from_untyped(first);
        *self.process.child.borrow_mut() = Some(child);
        *self.process.first.borrow_mut() = Some(first.clone());
        let process: Weak<Process> = Rc::downgrade(&self.process);
        self.env.entrypoint().spawn(async move {
            ended.await;
            process.upgrade().into_iter().for_each(|process| process.has_ended());
        });
        Ok((number, first))
    }
}

impl Spawn for SpawnSession {
    fn argument(&mut self, part: &[u8], ends: bool) -> Result<(), Error> {
        let missing = RamQuota::bytes(part.len() as u64 + 64);
        let paid = self.budget.ram().reserve(missing).map_err(|_| Error::InsufficientRamQuota { missing })?;
        self.paid.push(paid);
        if self.arguments.is_empty() {
            self.arguments.push(Vec::new());
        }
        self.arguments.last_mut().into_iter().for_each(|argument| argument.extend_from_slice(part));
        if ends {
            self.arguments.push(Vec::new());
        }
        Ok(())
    }

    fn check(&mut self, confinement: Confinement) -> Result<(), Error> {
        let (program, sandbox) = (self.program()?, self.sandbox(confinement)?);
        sandbox.check(&program).map_err(|error| Error::not_started(&error))
    }

    fn start(&mut self, confinement: Confinement) -> Result<(u32, Capability<dyn Component>), Error> {
        if self.process.child.borrow().is_some() || self.process.exit.get().is_some() {
            return Err(Error::NumberInUse);
        }
        let (program, sandbox) = (self.program()?, self.sandbox(confinement)?);
        self.take(confinement.memory)?;
        self.begin(&program, &sandbox).inspect_err(|_| self.settle(0))
    }

    fn give(&mut self, memory: u64) -> Result<(), Error> {
        self.take(memory)?;
        if let Some(child) = self.process.child.borrow().as_ref() {
            child.limit_memory(memory.saturating_add(PROGRAM)).map_err(|error| Error::not_started(&error))?;
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<(), Error> {
        self.process.child.borrow_mut().iter_mut().for_each(sandbox::Child::end);
        Ok(())
    }

    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error> {
        if self.process.exit.get().is_some() {
            context.submit();
        }
        *self.process.listener.borrow_mut() = Some(context);
        Ok(())
    }

    fn ended(&mut self) -> Result<Option<Exit>, Error> {
        Ok(self.process.exit.get())
    }
}

impl fmt::Debug for SpawnComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SpawnComponent").field(&self.shared.directory).finish()
    }
}

impl fmt::Debug for SpawnSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SpawnSession").field(&self.client).finish()
    }
}
