//! A parent: starts components, routes their sessions to each other, moves quota, and cleans up when one ends.
//!
//! # One session, two children
//! ```text
//!   client                      parent                               server
//!     │ session(number, label,…)  │                                     │
//!     ├──────────────────────────>│ the client's account pays           │
//!     │        (waits)            │ policy: route                       │
//!     │                           ├─ create (nobody waits) ────────────>│ checks the donation
//!     │                           │<──────────────────────── session ───┤ makes the object
//!     │<────────────── session ───┤                                     │
//!     │ calls the session directly ────────────────────────────────────>│
//!     │ close(number)             │                                     │
//!     ├──────────────────────────>├─ close (nobody waits) ─────────────>│
//!     │                           │<──────────────────────────── done ──┤
//!     │                           │ all is back in the client's account │
//! ```
//! The parent is an entrypoint like any other. It calls its children by tasks and never waits for one: a child that does not
//! answer leaves its own sessions waiting, and nobody else.
//!
//! The modules: what it knows (`state`), what children ask (`requests`, by way of `parent_object`), what follows (`effects`),
//! sessions as others see them (`session`), how children run (`spec`, `lives`, with `reaper` and `once`), what they have
//! (`quotas`, `memory`), whether they answer (`heartbeats`), what is decided by others (`policy`), whom answers go to
//! (`answering`), and the parent's own parent (`errands`, `above`).

mod above;
mod answering;
mod effects;
mod errands;
mod heartbeats;
mod lives;
mod memory;
mod once;
mod parent_object;
mod policy;
mod quotas;
mod reaper;
mod requests;
mod session;
mod spawned;
mod spec;
mod state;

pub use policy::{Asked, Exit, Policy, Route, Wish};
pub(crate) use reaper::Reaper;
pub use session::{OpenSession, ServedBy, SessionNumber};
pub use spec::Spec;
pub(crate) use spec::how;

use self::errands::Listener;
use self::state::State;
use crate::bank::Account;
use crate::env::{Env, WeakEnv};
use crate::error::Error;
use crate::quota::Quota;
use crate::uplink::Uplink;
use portcullis_entrypoint::{Entrypoint, WeakEntrypoint};
use portcullis_ipc::Pd;
use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

/// A parent of components, on an entrypoint of this thread. Clones are the same parent; with the last one its children end.
///
/// ```
/// use portcullis_component::host::{Asked, Host, Route, Spec};
/// use portcullis_component::{Env, Quota};
/// use portcullis_entrypoint::Entrypoint;
/// use portcullis_ipc::Pd;
///
/// let pd = Pd::new()?;
/// let entrypoint = Entrypoint::new(&pd)?;
/// let host = Host::new(&pd, &entrypoint, Quota::new(1 << 20, 100), |_: Asked<'_>| {
///     Route::Denied("nothing is served here".into())
/// });
/// host.start(Spec::thread("one", Quota::new(65_536, 10), |env: Env| env.exit(0)))?;
/// assert_eq!(host.own_quota(), Quota::new((1 << 20) - 65_536, 90));
/// host.run_until(|host| host.quota("one").is_none())?;
/// assert_eq!(host.own_quota(), Quota::new(1 << 20, 100), "it has ended");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Host(Rc<Inner>);

pub(crate) struct Inner {
    pd: Pd,
    entrypoint: WeakEntrypoint,
    state: RefCell<State>,
    policy: RefCell<Box<dyn Policy>>,
    reaper: RefCell<Reaper>,
    /// The parent's own parent, if it has one.
    uplink: Option<Uplink>,
    /// Of the component that it is then.
    env: Option<WeakEnv>,
    /// Where that says that there are answers.
    listener: Listener,
}

/// A parent as its objects and tasks have it: they do not keep it alive.
#[derive(Clone)]
pub(crate) struct WeakHost(Weak<Inner>);

impl WeakHost {
    pub(crate) fn upgrade(&self) -> Option<Host> {
        self.0.upgrade().map(Host)
    }
}

impl Host {
    /// A parent with so much quota to give, which it answers for to nobody.
    #[must_use]
    pub fn new(pd: &Pd, entrypoint: &Entrypoint, quota: Quota, policy: impl Policy + 'static) -> Host {
        Host::with(pd, entrypoint, quota, policy, None)
    }

    /// A parent that is a component itself, and gives its children of its own budget. From now on that budget is the
    /// parent's to spend, and what the component opens of sessions otherwise is missing there.
    ///
    /// # Errors
    /// [`Error::Rpc`] if the parent's own parent does not answer.
    pub fn within(env: &Env, policy: impl Policy + 'static) -> Result<Host, Error> {
        Ok(Host::with(env.pd(), &env.entrypoint(), env.budget()?, policy, Some(env)))
    }

    fn with(
        pd: &Pd,
        entrypoint: &Entrypoint,
        quota: Quota,
        policy: impl Policy + 'static,
        env: Option<&Env>,
    ) -> Host {
        Host(Rc::new(Inner {
            pd: pd.clone(),
            entrypoint: entrypoint.downgrade(),
            state: RefCell::new(State::new(quota)),
            policy: RefCell::new(Box::new(policy)),
            reaper: RefCell::default(),
            uplink: env.map(|env| env.uplink().clone()),
            env: env.map(Env::downgrade),
            listener: Listener::default(),
        }))
    }

    pub(crate) fn downgrade(&self) -> WeakHost {
        WeakHost(Rc::downgrade(&self.0))
    }

    /// What the parent itself has left to give.
    #[must_use]
    pub fn own_quota(&self) -> Quota {
        self.0.state.borrow().bank.balance(Account::Own)
    }

    /// What a child has left to donate; `None` if there is no child of that name.
    #[must_use]
    pub fn quota(&self, child: &str) -> Option<Quota> {
        let state = self.0.state.borrow();
        let child = state.child_named(child)?;
        Some(state.bank.balance(Account::Child(child)))
    }

    /// What a child owes: it has spent otherwise what was donated to it for a session that is closed. Whatever it gets goes
    /// to whom it owes first.
    #[must_use]
    pub fn debt(&self, child: &str) -> Option<Quota> {
        let state = self.0.state.borrow();
        let child = state.child_named(child)?;
        Some(state.bank.owed_by(Account::Child(child)))
    }

    /// How many sessions there are, in whatever state.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.0.state.borrow().sessions.len()
    }

    /// Serves until the condition holds; looks after whatever has happened, and now and then.
    ///
    /// # Errors
    /// As [`Entrypoint::run`]; [`portcullis_entrypoint::Error::Ended`] if the entrypoint was dropped.
    pub fn run_until(
        &self,
        mut condition: impl FnMut(&Host) -> bool,
    ) -> Result<(), portcullis_entrypoint::Error> {
        use portcullis_rpc::Deadline;
        use std::time::Duration;
        let entrypoint = self.0.entrypoint.upgrade().ok_or(portcullis_entrypoint::Error::Ended)?;
        while !condition(self) {
            entrypoint.run_until(Deadline::After(Duration::from_millis(1)))?;
        }
        Ok(())
    }

    fn entrypoint(&self) -> Option<Entrypoint> {
        self.0.entrypoint.upgrade()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.borrow();
        let names: Vec<_> = state.children.values().map(|child| &child.name).collect();
        f.debug_struct("Host").field("children", &names).field("sessions", &state.sessions.len()).finish()
    }
}
