//! A component's environment: all that it has.

use crate::alarms::{Alarm, Alarms};
use crate::connection::{Connecting, Connection};
use crate::error::Error;
use crate::protocol::{Parent, Root};
use crate::quota::Quota;
use crate::root::RootObject;
use crate::service::{Service, Sessions};
use crate::uplink::{PATIENCE, Uplink};
use portcullis_entrypoint::{Entrypoint, WeakEntrypoint};
use portcullis_ipc::Pd;
use portcullis_rpc::{Capability, Client, Deadline, Serves};
use portcullis_shm::RegionMap;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What a component starts with: its parent, its entrypoint, its protection domain, its budget and its region map. All else it asks its
/// parent for. Clones are the same environment; it stays on the component's thread.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Quota};
///
/// with_server(|_: Env| (), |env| {
///     let before = env.budget()?;
///     env.give_back(Quota::new(4096, 1))?;
///     assert_eq!(env.budget()?.checked_add(Quota::new(4096, 1)), Some(before));
///     env.ask(Quota::new(4096, 1))?;
///     assert_eq!(env.budget(), Ok(before));
///     Ok::<_, portcullis_component::Error>(())
/// })?;
/// # Ok::<_, portcullis_component::Error>(())
/// ```
#[derive(Clone)]
pub struct Env(Rc<Inner>);

/// An environment as what the component itself keeps has it.
pub(crate) struct WeakEnv(Weak<Inner>);

impl WeakEnv {
    pub(crate) fn upgrade(&self) -> Option<Env> {
        self.0.upgrade().map(Env)
    }
}

pub(crate) struct Inner {
    pd: Pd,
    entrypoint: WeakEntrypoint,
    uplink: Uplink,
    /// What is done when the parent wants quota back.
    when_asked: RefCell<Option<Box<Yielding>>>,
    exit_code: Cell<Option<i32>>,
    alarms: Rc<RefCell<Alarms>>,
    region_map: OnceCell<RegionMap>,
    /// Whether the component is to end.
    stopped: Arc<AtomicBool>,
}

type Yielding = dyn FnMut(&Env, Quota);

impl Env {
    pub(crate) fn new(
        pd: &Pd,
        entrypoint: &Entrypoint,
        parent: &Capability<dyn Parent>,
        stopped: Arc<AtomicBool>,
    ) -> Env {
        Env(Rc::new(Inner {
            pd: pd.clone(),
            entrypoint: entrypoint.downgrade(),
            uplink: Uplink::new(parent),
            when_asked: RefCell::default(),
            exit_code: Cell::new(None),
            alarms: Rc::default(),
            region_map: OnceCell::new(),
            stopped,
        }))
    }

    /// Opens a session of the service that has the interface's name. Blocks until it is there: for half a minute at most, and
    /// from within a method no longer than that method's own caller waits. If the
    /// server wants more than the interface's [donation](Service::donation), more is donated; if this component's budget
    /// has not as much, the parent is [asked](Self::ask) for more.
    ///
    /// # Errors
    /// - [`Error::OutOfRam`], [`Error::OutOfCaps`]: this component's budget has not as much, and the parent grants no more.
    /// - [`Error::InsufficientRamQuota`], [`Error::InsufficientCapQuota`]: the server wants ever more.
    /// - [`Error::ServiceDenied`]: nobody serves it, or not this client.
    /// - [`Error::Label`], [`Error::ArgumentsTooLong`]: nothing was sent.
    /// - [`Error::ServerDied`]: while it made the session.
    /// - [`Error::Rpc`]: there was no answer in time, or there is no parent any more.
    pub fn connect<I: ?Sized + Service>(
        &self,
        label: &str,
        arguments: &I::Arguments,
    ) -> Result<Connection<I>, Error> {
        self.connecting(label).open(arguments)
    }

    /// As [`connect`](Self::connect), for who wants to say how much is donated or how long it may take.
    #[must_use]
    pub fn connecting(&self, label: &str) -> Connecting {
        let uplink = self.0.uplink.clone();
        Connecting { uplink, label: label.into(), quota: None, deadline: PATIENCE }
    }

    /// Offers a service: from now on the parent may ask for its sessions, and those who waited for it get theirs.
    ///
    /// # Errors
    /// [`Error::ServiceDenied`] if this component announced it before; [`Error::Rpc`] if there is no parent any more.
    pub fn announce<I, S>(&self, server: S) -> Result<(), Error>
    where
        I: ?Sized + Service + Serves<S::Session>,
        S: Sessions<I>,
    {
        let root = RootObject::<I, S>::new(server, self.clone());
        let root: Capability<dyn Root> = self.entrypoint().manage(root);
        self.parent().announce(I::NAME, root)
    }

    /// What this component's budget has left, neither donated nor used for its own [memory](Self::ram). Blocks for the parent's answer.
    ///
    /// # Errors
    /// [`Error::Rpc`] if there is no answer.
    pub fn budget(&self) -> Result<Quota, Error> {
        self.0.uplink.return_idle()?;
        self.parent().budget()
    }

    /// Asks the parent for more quota. Blocks until the parent has decided, for half a minute at most.
    ///
    /// # Errors
    /// [`Error::NotGranted`], or [`Error::Rpc`] if there is no answer.
    pub fn ask(&self, quota: Quota) -> Result<(), Error> {
        self.parent().with_deadline(PATIENCE).ask(quota).get()
    }

    /// Gives quota back to the parent.
    ///
    /// # Errors
    /// [`Error::OutOfRam`] or [`Error::OutOfCaps`] if there is not as much left.
    pub fn give_back(&self, quota: Quota) -> Result<(), Error> {
        self.0.uplink.return_idle()?;
        self.parent().give_back(quota)
    }

    /// Says what is done when the parent wants quota back: called on the entrypoint's thread with what it wants, as often as
    /// it wants some. What can be done without is [given back](Self::give_back).
    pub fn when_asked_back(&self, give: impl FnMut(&Env, Quota) + 'static) {
        // Whatever the one before does when it is dropped, nothing is borrowed.
        drop(self.0.when_asked.replace(Some(Box::new(give))));
    }

    /// Ends the component when the handler that runs has returned, and tells the parent how. The last one who says so counts.
    pub fn exit(&self, code: i32) {
        self.0.exit_code.set(Some(code));
        self.stop();
    }

    /// Has something done at a point in time, on the entrypoint's thread and between its handlers: not before that, and as soon
    /// after it as the entrypoint comes to it. It is not done if the [`Alarm`] is dropped before, or the component ends.
    ///
    /// The entrypoint sleeps until the first of them is due; without any it wakes up for nothing.
    pub fn at(&self, due: Instant, action: impl FnOnce(&Env) + 'static) -> Alarm {
        let (alarm, is_first) = Alarms::add(&self.0.alarms, due, Box::new(action));
        if is_first {
            // The entrypoint, which may sleep until a later one or for ever, looks again.
            self.entrypoint().stop();
        }
        alarm
    }

    /// The entrypoint that serves the component's objects.
    ///
    /// # Panics
    /// If the component has ended and somebody kept its environment.
    #[must_use]
    pub fn entrypoint(&self) -> Entrypoint {
        self.0.entrypoint.upgrade().expect("an environment is used while its component runs")
    }

    /// The component's protection domain.
    #[must_use]
    pub fn pd(&self) -> &Pd {
        &self.0.pd
    }

    pub(crate) fn parent(&self) -> Client<dyn Parent> {
        self.0.uplink.parent()
    }

    pub(crate) fn downgrade(&self) -> WeakEnv {
        WeakEnv(Rc::downgrade(&self.0))
    }

    pub(crate) fn uplink(&self) -> &Uplink {
        &self.0.uplink
    }

    /// Where its region map is, once it is asked for.
    pub(crate) fn addresses(&self) -> &OnceCell<RegionMap> {
        &self.0.region_map
    }

    /// The component is to end when the handler that runs has returned.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
        self.entrypoint().stop();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }

    /// Until when the entrypoint may sleep.
    pub(crate) fn next_alarm(&self) -> Deadline {
        let due = self.0.alarms.borrow().next();
        due.map_or(Deadline::Never, |due| Deadline::After(due.saturating_duration_since(Instant::now())))
    }

    /// Does what is due.
    pub(crate) fn ring_alarms(&self) {
        let now = Instant::now();
        loop {
            // Borrowed for this statement only: an alarm may set another.
            let due = self.0.alarms.borrow_mut().take_due(now);
            match due {
                Some(alarm) => alarm(self),
                None => return,
            }
        }
    }

    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.0.exit_code.get()
    }

    /// The parent wants quota back.
    pub(crate) fn asked_back(&self, quota: Quota) {
        // Taken out, so that it may set another one, which is the one that counts then.
        let Some(mut give) = self.0.when_asked.take() else { return };
        give(self, quota);
        let next = self.0.when_asked.take().unwrap_or(give);
        drop(self.0.when_asked.replace(Some(next)));
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("parent", &self.0.uplink).finish_non_exhaustive()
    }
}
