//! The entrypoint: what it is made of, and which objects it has.

use crate::error::Error;
use crate::handle::{EntrypointHandle, Mailbox};
use crate::handlers::Handlers;
use crate::object::{Managed, Object};
use crate::pool::{Pool, Removed};
use crate::tasks::Tasks;
use crate::turn::{Dissolved, Panics, Turn};
use crate::weak::WeakEntrypoint;
use portcullis_ipc::{self as ipc, Badge, Limits, Pd, Server, Usage};
use portcullis_rpc::{Capability, Outbox, Reply, Serves};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// One thread's objects, and the calls and signals that they serve: never two handlers at once.
///
/// It stays on the thread that made it; [`handle`](Self::handle) is for the others. Its objects keep a
/// [`WeakEntrypoint`] to reach it from within their methods. When it is dropped, its objects are, and every
/// capability to them is dead; the first panic among their drops goes on when all are dropped.
///
/// ```
/// use portcullis_entrypoint::Entrypoint;
/// use portcullis_ipc::Pd;
/// use portcullis_rpc::{Capability, Error, rpc_interface};
///
/// #[rpc_interface]
/// trait Greeter {
///     fn greet(&mut self, name: &str) -> Result<String, Error>;
/// }
///
/// struct Polite {
///     greeted: usize,
/// }
///
/// impl Greeter for Polite {
///     fn greet(&mut self, name: &str) -> Result<String, Error> {
///         self.greeted += 1;
///         Ok(format!("good day, {name}; you are number {}", self.greeted))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let entrypoint = Entrypoint::new(&Pd::new()?)?;
/// let greeter: Capability<dyn Greeter> = entrypoint.manage(Polite { greeted: 0 });
/// let handle = entrypoint.handle();
/// let client = std::thread::spawn(move || {
///     let answer = greeter.client().greet("Anna");
///     handle.stop();
///     answer
/// });
/// entrypoint.run()?;
/// let answer = client.join().expect("it only asks")?;
/// assert_eq!(answer, "good day, Anna; you are number 1");
/// # Ok(()) }
/// ```
pub struct Entrypoint(pub(crate) Rc<Inner>);

/// What all references to an entrypoint share.
pub(crate) struct Inner {
    /// Borrowed while it waits for an event and for single operations, never while a handler runs.
    pub(crate) server: RefCell<Server>,
    pub(crate) pool: RefCell<Pool>,
    pub(crate) handlers: RefCell<Handlers>,
    /// Which handler runs.
    pub(crate) turn: Cell<Turn>,
    /// Objects and handlers of signals that were dissolved, until no handler runs.
    pub(crate) dissolved: RefCell<Vec<Dissolved>>,
    /// Answers that were given later.
    pub(crate) outbox: Outbox,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) tasks: RefCell<Tasks>,
    pub(crate) stopped: Cell<bool>,
}

impl Entrypoint {
    /// An entrypoint of the calling thread, with default limits for its clients.
    ///
    /// # Errors
    /// [`Error::Transport`] if the system refuses the descriptors that it needs.
    pub fn new(pd: &Pd) -> Result<Entrypoint, Error> {
        Entrypoint::with(pd, Limits::default())
    }

    /// An entrypoint of the calling thread that grants each client at most what the limits say.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with(pd: &Pd, limits: Limits) -> Result<Entrypoint, Error> {
        let server = Server::with(pd, limits)?;
        let mailbox = Mailbox::new(server.waker(), pd.default_deadline());
        Ok(Entrypoint(Rc::new(Inner {
            server: RefCell::new(server),
            pool: RefCell::default(),
            handlers: RefCell::default(),
            turn: Cell::new(Turn::Nobodys),
            dissolved: RefCell::default(),
            outbox: Outbox::new(),
            mailbox: Arc::new(mailbox),
            tasks: RefCell::default(),
            stopped: Cell::new(false),
        })))
    }

    /// Has calls to the object served from now on, and answers with the capability to it: a distinct identity whose
    /// destination is this entrypoint. May be called from within a method.
    ///
    /// The object lives until it is [dissolved](Self::dissolve) or the entrypoint ends, whether or not somebody holds
    /// a capability.
    ///
    /// # Panics
    /// If there are 2³² objects at once, which no memory holds.
    pub fn manage<I, T>(&self, object: T) -> Capability<I>
    where
        I: ?Sized + Serves<T>,
        T: 'static,
    {
        let minted = self.0.server.borrow_mut().mint();
        self.add(minted, Managed::<I, T, _>::new(object, |_: &mut T, _: &Entrypoint| ()))
    }

    /// As [`manage`](Self::manage), for an object that wants to know when nobody holds a capability to it any more:
    /// no client, and nobody in this process. Then `when_unreferenced` is called, between handlers, once; and again
    /// if the object was handed out anew and dropped once more. To have the object end then, pass
    /// `|_, entrypoint| entrypoint.dissolve_current()`.
    ///
    /// An object that keeps a capability to itself is held by itself.
    ///
    /// # Panics
    /// As [`manage`](Self::manage).
    pub fn manage_counted<I, T>(
        &self,
        object: T,
        when_unreferenced: impl FnMut(&mut T, &Entrypoint) + 'static,
    ) -> Capability<I>
    where
        I: ?Sized + Serves<T>,
        T: 'static,
    {
        let minted = self.0.server.borrow_mut().mint_counted();
        self.add(minted, Managed::<I, T, _>::new(object, when_unreferenced))
    }

    pub(crate) fn add<I: ?Sized>(
        &self,
        minted: Result<(Badge, ipc::Capability), ipc::Error>,
        object: impl Object + 'static,
    ) -> Capability<I> {
        let (badge, capability) = minted.expect("fewer than 2^32 objects fit into memory");
        self.0.pool.borrow_mut().insert(badge, Box::new(object));
        Capability::from_untyped(capability)
    }

    /// Ends an object: every capability to it, wherever it is, is invalid from now on. The object itself is dropped
    /// when no handler runs: at once, or after the handler that runs now, which may be the object's own method. The signal
    /// contexts that are bound to it end with it.
    ///
    /// Answers whether the capability named an object of this entrypoint.
    pub fn dissolve<I: ?Sized>(&self, capability: &Capability<I>) -> bool {
        self.badge_of(capability).is_ok_and(|badge| self.dissolve_badge(badge))
    }

    /// [Dissolves](Self::dissolve) the object whose handler runs. Answers whether one does.
    pub fn dissolve_current(&self) -> bool {
        match self.0.turn.get() {
            Turn::Objects(badge) => self.dissolve_badge(badge),
            Turn::Nobodys | Turn::Others => false,
        }
    }

    /// [Dissolves](Self::dissolve) an object, and answers with it: what was given to [`manage`](Self::manage) comes
    /// back.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); the object stays then.
    pub fn take<I: ?Sized, T: 'static>(&self, capability: &Capability<I>) -> Result<T, Error> {
        let badge = self.badge_of(capability)?;
        let wrong = Error::WrongType { expected: std::any::type_name::<T>() };
        let object = {
            let mut object = self.check_out(badge)?;
            if !object.get().as_any().is::<T>() {
                return Err(wrong);
            }
            object.keep()
        };
        self.dissolve_badge(badge);
        object.into_any().downcast().map(|object| *object).map_err(|_| wrong)
    }

    pub(crate) fn dissolve_badge(&self, badge: Badge) -> bool {
        self.0.server.borrow_mut().dissolve(badge);
        let removed = self.0.pool.borrow_mut().remove(badge);
        let was_managed = removed.is_some();
        let Removed { object, contexts } = removed.unwrap_or_default();
        self.0.dissolved.borrow_mut().extend(object.map(Dissolved::Object));
        for context in contexts {
            self.end_context(context);
        }
        self.tidy();
        was_managed
    }

    /// Runs `work` on the object behind a capability, such as one that came home as an argument. It counts as a
    /// handler of that object.
    ///
    /// # Errors
    /// [`Error::NotManaged`] if the capability is another's or its object was dissolved; [`Error::Busy`] if a handler
    /// of the object runs, further up the stack; [`Error::WrongType`] if the object is no `T`.
    pub fn apply<I: ?Sized, T: 'static, R>(
        &self,
        capability: &Capability<I>,
        work: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Error> {
        let badge = self.badge_of(capability)?;
        let result = {
            let mut object = self.check_out(badge)?;
            let wrong = Error::WrongType { expected: std::any::type_name::<T>() };
            object.get().as_any().downcast_mut::<T>().map(work).ok_or(wrong)
        };
        self.tidy();
        result
    }

    /// Whether somebody still waits for an answer that was promised, as far as is known: not if the caller has ended, or
    /// has given the call up. A handler that keeps replies drops the others now and then. Never waits.
    ///
    /// ```
    /// # use portcullis_entrypoint::Entrypoint;
    /// # use portcullis_rpc::{Error, Reply};
    /// struct Door {
    ///     waiting: Vec<Reply<Result<u32, Error>>>,
    /// }
    ///
    /// impl Door {
    ///     fn forget(&mut self, entrypoint: &Entrypoint) {
    ///         self.waiting.retain(|reply| entrypoint.awaits(reply));
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn awaits<R>(&self, reply: &Reply<R>) -> bool {
        reply.is_awaited(&self.0.server.borrow())
    }

    /// Whether the capability names an object of this entrypoint.
    #[must_use]
    pub fn manages<I: ?Sized>(&self, capability: &Capability<I>) -> bool {
        self.badge_of(capability).is_ok()
    }

    pub(crate) fn badge_of<I: ?Sized>(&self, capability: &Capability<I>) -> Result<Badge, Error> {
        self.0.server.borrow().badge_of(capability.untyped()).ok_or(Error::NotManaged)
    }

    /// Lets the parent, which started this process, call the object: the capability that `Pd::spawn` answered with
    /// there. From then on [`run`](Self::run) ends with `ParentGone` when the parent does.
    ///
    /// # Errors
    /// [`Error::NotManaged`], or the transport's `NotSpawned` if there is no parent or it is served already.
    pub fn serve_parent<I: ?Sized>(&self, capability: &Capability<I>) -> Result<(), Error> {
        let badge = self.badge_of(capability)?;
        Ok(self.0.server.borrow_mut().serve_parent(badge)?)
    }

    /// A reference for the entrypoint's own objects: it does not keep the entrypoint alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakEntrypoint {
        WeakEntrypoint(Rc::downgrade(&self.0))
    }

    /// A reference for other threads.
    #[must_use]
    pub fn handle(&self) -> EntrypointHandle {
        EntrypointHandle(self.0.mailbox.clone())
    }

    /// The untyped capability to the entrypoint itself, with which it was created. It identifies the entrypoint; all
    /// methods are unknown to it.
    #[must_use]
    pub fn capability(&self) -> ipc::Capability {
        self.0.server.borrow().capability()
    }

    /// What it holds for its clients at the moment.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.server.borrow().usage()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut panics = Panics::default();
        // First, so that nobody waits for what is not going to happen.
        self.mailbox.close().into_iter().flatten().for_each(|job| panics.drop(job));
        self.dissolved.take().into_iter().for_each(|dissolved| panics.drop(dissolved));
        self.handlers.take().into_handlers().for_each(|handler| panics.drop(handler));
        self.pool.take().into_objects().for_each(|object| panics.drop(object));
        self.tasks.take().into_tasks().for_each(|task| panics.drop(task));
        panics.go_on();
    }
}

impl fmt::Debug for Entrypoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Entrypoint");
        debug.field("thread", &std::thread::current().name().unwrap_or("unnamed"));
        debug.field("objects", &self.0.pool.borrow().len());
        if let Ok(server) = self.0.server.try_borrow() {
            debug.field("usage", &server.usage());
        }
        debug.field("turn", &self.0.turn.get()).finish_non_exhaustive()
    }
}
