//! Who runs a composition.

use super::clock::Clock;
use super::event::Event;
use super::launch::Launch;
use super::member::{Life, Member, Then};
use super::reports::Reports;
use super::routing::{Notes, Routing};
use super::services::{Announce, OfRoot, Offer, Services};
use super::spawner;
use super::teller;
use crate::config::{Composition, Given};
use crate::name::{Name, Service};
use crate::route::Router;
use portcullis_component::host::{Host, OpenSession};
use portcullis_component::spawn::Spawn;
use portcullis_component::{Connection, Env, Error, Quota};
use portcullis_entrypoint::Entrypoint;
use portcullis_ipc::{Deadline, Pd};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::mpsc::Receiver;
use std::time::Instant;
use thiserror::Error as ThisError;

/// What the root of all components has.
///
/// ```
/// use portcullis_component::Quota;
/// use portcullis_init::Root;
///
/// let log = Box::new(|line: &str| eprintln!("{line}"));
/// let root = Root { directory: "/srv".into(), quota: Quota::new(1 << 30, 10_000), log, also: Vec::new() };
/// assert!(root.directory.is_absolute());
/// ```
pub struct Root {
    /// Where relative paths of binaries begin.
    pub directory: PathBuf,
    /// What it has to give.
    pub quota: Quota,
    /// Where the lines of its log go: called on a thread of its own.
    pub log: Box<dyn FnMut(&str) + Send>,
    /// What it serves on that thread beside `log`, `rom` and `timer`: names of services, and who announces them.
    pub also: Vec<(&'static str, Announce)>,
}

/// Why a composition was not started.
///
/// ```
/// use portcullis_init::NotStarted;
///
/// let error = NotStarted { name: "log".parse()?, reason: "no memory".into() };
/// assert_eq!(error.to_string(), "cannot start log: no memory");
/// # Ok::<_, portcullis_init::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("cannot start {name}: {reason}")]
pub struct NotStarted {
    /// Which component.
    pub name: Name,
    /// Why, and what to do.
    pub reason: String,
}

/// A composition that runs: starts its components, routes their sessions, starts anew who crashes, and changes what runs to
/// what another composition says. Clones are the same; with the last one all components end.
///
/// ```
/// use portcullis_init::{Composition, Init, Root};
/// use portcullis_component::Quota;
/// # use portcullis_entrypoint::Entrypoint;
/// # use portcullis_ipc::Pd;
///
/// let composition = Composition::parse(r#"
///     [[component]]
///     name = "nothing"
///     binary = "/bin/true"
///     ram = "1M"
///     caps = 10
///     sandbox = "off"
/// "#)?;
/// # let pd = Pd::new()?;
/// # let entrypoint = Entrypoint::new(&pd)?;
/// let quota = Quota::new(1 << 30, 1_000);
/// let root = Root { directory: "/".into(), quota, log: Box::new(|_| ()), also: Vec::new() };
/// let init = Init::root(&pd, &entrypoint, root, |event| println!("{event}"))?;
/// init.start(&composition)?;
/// init.run_until(|init| init.is_over())?;
/// assert!(init.has_succeeded());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Init(Rc<Inner>);

pub(super) struct Inner {
    pub(super) host: Host,
    pub(super) entrypoint: portcullis_entrypoint::WeakEntrypoint,
    pub(super) notes: Rc<Notes>,
    pub(super) services: Services,
    pub(super) launch: Launch,
    pub(super) offer: Offer,
    /// What all components together may have.
    total: Cell<Quota>,
    pub(super) clock: Clock,
    /// What its parent was offered.
    pub(super) offered: RefCell<BTreeSet<Service>>,
    pub(super) reports: RefCell<Reports>,
    /// As it is to be.
    pub(super) composition: RefCell<Composition>,
    pub(super) members: RefCell<BTreeMap<Name, Member>>,
    tell: RefCell<Box<dyn FnMut(Event)>>,
    pub(super) began: Instant,
    pub(super) is_ending: Cell<bool>,
}

/// A reference that does not keep it alive.
#[derive(Clone)]
pub(super) struct WeakInit(Weak<Inner>);

impl WeakInit {
    pub(super) fn upgrade(&self) -> Option<Init> {
        self.0.upgrade().map(Init)
    }
}

impl Init {
    /// At the root, on an entrypoint that [`run_until`](Self::run_until) serves. What happens is told to the closure, between
    /// handlers.
    ///
    /// # Errors
    /// [`Error`] if the system has no thread for the services of the root.
    pub fn root(
        pd: &Pd,
        entrypoint: &Entrypoint,
        root: Root,
        tell: impl FnMut(Event) + 'static,
    ) -> Result<Init, Error> {
        let Root { directory, quota, log, also } = root;
        let offer = Offer::root(&also);
        let notes = Notes::new(Router::new(&Composition::default()), offer.clone());
        let host = Host::new(pd, entrypoint, quota, Routing(notes.clone()));
        let clock = Clock::Loop(entrypoint.downgrade());
        Init::with(
            host,
            entrypoint,
            notes,
            clock,
            (Launch::Itself(directory), offer, Some(OfRoot { log, also })),
            Box::new(tell),
        )
    }

    /// As a component, which gives its own components of its own budget, and asks its own parent for what is routed there.
    ///
    /// # Errors
    /// As [`Host::within`] and [`root`](Self::root).
    pub fn within(env: &Env, directory: PathBuf, tell: impl FnMut(Event) + 'static) -> Result<Init, Error> {
        let notes = Notes::new(Router::new(&Composition::default()), Offer::Above);
        // Before the budget is looked at: the session is closed again.
        let starts = env.connect::<dyn Spawn>("", &()).and_then(Connection::close).is_ok();
        let launch = if starts { Launch::Parent(directory) } else { Launch::Itself(directory) };
        let host = Host::within(env, Routing(notes.clone()))?;
        let of_parent = (launch, Offer::Above, None);
        Init::with(host, &env.entrypoint(), notes, Clock::of(env), of_parent, Box::new(tell))
    }

    fn with(
        host: Host,
        entrypoint: &Entrypoint,
        notes: Rc<Notes>,
        clock: Clock,
        (launch, offer, of_root): (Launch, Offer, Option<OfRoot>),
        tell: Box<dyn FnMut(Event)>,
    ) -> Result<Init, Error> {
        let services = Services::default();
        host.start(services.spec(of_root))?;
        if let Offer::Root(_) = offer
            && let Launch::Itself(directory) = &launch
        {
            host.start(spawner::spec(&services, directory.clone()))?;
        }
        let init = Init(Rc::new(Inner {
            total: Cell::new(host.own_quota()),
            host,
            entrypoint: entrypoint.downgrade(),
            notes,
            services,
            launch,
            offer,
            clock,
            offered: RefCell::default(),
            reports: RefCell::default(),
            composition: RefCell::default(),
            members: RefCell::default(),
            tell: RefCell::new(tell),
            began: Instant::now(),
            is_ending: Cell::new(false),
        }));
        init.0.notes.wakes(init.0.clock.waker(init.downgrade()));
        Ok(init)
    }

    /// Has what happens told to the log that the parent has for this component. Without a budget for that it is told nobody. Before
    /// a component is started.
    pub(super) fn start_teller(&self, told: Receiver<Event>) {
        let _ = self.0.host.start(teller::spec(told));
        self.0.total.set(self.0.host.own_quota());
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(super) fn downgrade(&self) -> WeakInit {
        WeakInit(Rc::downgrade(&self.0))
    }

    /// What a composition that is to run here is given: to be checked against, by
    /// [`Composition::parse_within`]. It stays the same, whoever has it now or owes it: what is not there yet is waited for.
    #[must_use]
    pub fn given(&self) -> Given {
        let total = self.0.total.get();
        let services = match &self.0.offer {
            Offer::Root(services) => Some(services.iter().filter_map(|name| name.parse().ok()).collect()),
            Offer::Above => None,
        };
        Given { ram: Some(total.ram), caps: Some(total.caps), services }
    }

    /// Starts a composition: all of its components or, if one of them cannot be started, none.
    ///
    /// # Errors
    /// [`NotStarted`]: the first that cannot.
    pub fn start(&self, composition: &Composition) -> Result<(), NotStarted> {
        for component in composition.components() {
            self.0
                .launch
                .check(component, &self.0.host)
                .map_err(|reason| NotStarted { name: component.name.clone(), reason })?;
        }
        self.change(composition);
        let members = self.0.members.borrow();
        let failed = members
            .values()
            .find_map(|member| Some((member.component.name.clone(), member.failure.clone()?)));
        drop(members);
        match failed {
            None => Ok(()),
            Some((name, reason)) => {
                self.end();
                Err(NotStarted { name, reason })
            }
        }
    }

    /// The sessions that there are or that are waited for.
    #[must_use]
    pub fn sessions(&self) -> Vec<OpenSession> {
        self.0.host.open_sessions()
    }

    /// Whether no component runs, or is about to.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self.0.members.borrow().values().any(Member::is_alive)
    }

    /// Whether it has components at all, running or not.
    pub(super) fn has_components(&self) -> bool {
        !self.0.members.borrow().is_empty()
    }

    /// Whether each component has ended by itself, with 0.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        self.0.members.borrow().values().all(|member| member.life == Life::Ended)
    }

    /// Ends all components, at once and for good. [`is_over`](Self::is_over) says when they have.
    pub fn end(&self) {
        self.0.is_ending.set(true);
        for (name, member) in self.0.members.borrow_mut().iter_mut() {
            match member.life {
                Life::Runs | Life::Stopping(_) => {
                    member.life = Life::Stopping(Then::Over);
                    self.0.host.kill(name.as_str());
                }
                Life::Waits => member.life = Life::GivenUp,
                Life::Ended | Life::GivenUp => {}
            }
        }
    }

    /// Serves until the condition holds, which is looked at whenever something has happened, and sleeps while nothing does.
    ///
    /// # Errors
    /// As [`Entrypoint::run`]; [`portcullis_entrypoint::Error::Ended`] if the entrypoint was dropped.
    pub fn run_until(
        &self,
        mut condition: impl FnMut(&Init) -> bool,
    ) -> Result<(), portcullis_entrypoint::Error> {
        let entrypoint = self.0.entrypoint.upgrade().ok_or(portcullis_entrypoint::Error::Ended)?;
        loop {
            self.turn();
            if condition(self) {
                return Ok(());
            }
            let left = |due: Instant| Deadline::After(due.saturating_duration_since(Instant::now()));
            entrypoint.run_until(self.due().map_or(Deadline::Never, left))?;
        }
    }

    pub(super) fn tell(&self, event: Event) {
        self.0.notes.is_changed.set(true);
        // Foreign code: nothing of ours is borrowed.
        (self.0.tell.borrow_mut())(event);
    }
}

impl fmt::Debug for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.0.members.borrow();
        let lives = members.iter().map(|(name, member)| (name.as_str(), member.life));
        f.debug_map().entries(lives).finish()
    }
}
