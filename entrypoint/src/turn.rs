//! One handler at a time: whose turn it is, and what is done between handlers.

use crate::entrypoint::{Entrypoint, Inner};
use crate::error::Error;
use crate::handlers::Handler;
use crate::object::Object;
use portcullis_ipc::Badge;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Whose handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// None does.
    Nobodys,
    /// A handler of that object.
    Objects(Badge),
    /// A posted closure, or a drop.
    Others,
}

/// What is to be dropped when no handler runs: foreign code.
pub(crate) enum Dissolved {
    Object(Box<dyn Object>),
    Handler(Handler),
}

/// Until it is dropped, a handler runs.
pub(crate) struct InTurn<'a> {
    turn: &'a Cell<Turn>,
    outer: Turn,
}

impl<'a> InTurn<'a> {
    #[inline]
    pub(crate) fn new(inner: &'a Inner, turn: Turn) -> InTurn<'a> {
        InTurn { turn: &inner.turn, outer: inner.turn.replace(turn) }
    }
}

impl Drop for InTurn<'_> {
    #[inline]
    fn drop(&mut self) {
        self.turn.set(self.outer);
    }
}

/// An object whose handler runs; goes back into the pool when dropped, even past a panic.
pub(crate) struct CheckedOut<'a> {
    inner: &'a Inner,
    badge: Badge,
    object: Option<Box<dyn Object>>,
    _turn: InTurn<'a>,
}

impl CheckedOut<'_> {
    #[inline]
    pub(crate) fn get(&mut self) -> &mut dyn Object {
        self.object.as_deref_mut().expect("it is here until it is dropped")
    }

    /// The object, which does not go back into the pool. Its place there stays busy until it is removed.
    pub(crate) fn keep(mut self) -> Box<dyn Object> {
        self.object.take().expect("it is here until it is dropped")
    }
}

impl Drop for CheckedOut<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && let Some(dissolved) = self.inner.pool.borrow_mut().check_in(self.badge, object)
        {
            self.inner.dissolved.borrow_mut().push(Dissolved::Object(dissolved));
        }
    }
}

/// Runs foreign code; `None` if it panicked. The panic's message has been printed by then.
///
/// Whoever is left in the middle of something by a panic is the object itself: the entrypoint's own state is behind
/// cells that no foreign code runs inside of.
#[inline]
pub(crate) fn caught<R>(work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(panic) => {
            discard(panic);
            None
        }
    }
}

/// The panics of foreign code that is dropped one by one, so that each has its turn: two at once would end the process.
#[derive(Default)]
pub(crate) struct Panics(Option<Box<dyn Any + Send>>);

impl Panics {
    /// Drops it.
    pub(crate) fn drop<T>(&mut self, foreign: T) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(foreign))) {
            match &self.0 {
                None => self.0 = Some(panic),
                Some(_) => discard(panic),
            }
        }
    }

    /// The first of them goes on, unless the thread has another one.
    pub(crate) fn go_on(self) {
        match self.0 {
            Some(panic) if !std::thread::panicking() => resume_unwind(panic),
            Some(panic) => discard(panic),
            None => {}
        }
    }
}

/// The drop of what was thrown is foreign code, too.
#[cold]
fn discard(panic: Box<dyn Any + Send>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
}

impl Entrypoint {
    /// Takes an object out of the pool for a handler.
    #[inline]
    pub(crate) fn check_out(&self, badge: Badge) -> Result<CheckedOut<'_>, Error> {
        let inner = &*self.0;
        let object = inner.pool.borrow_mut().check_out(badge)?;
        let turn = InTurn::new(inner, Turn::Objects(badge));
        Ok(CheckedOut { inner, badge, object: Some(object), _turn: turn })
    }

    /// Between handlers: sends answers that were given later, and drops objects that were dissolved. Their drops may
    /// answer and dissolve, too.
    pub(crate) fn tidy(&self) {
        if self.0.turn.get() != Turn::Nobodys {
            return;
        }
        loop {
            // Borrowed for this statement only: a drop may want it.
            let next = self.0.dissolved.borrow_mut().pop();
            let Some(next) = next else { break };
            let _turn = InTurn::new(&self.0, Turn::Others);
            caught(|| match next {
                Dissolved::Object(object) => drop(object),
                Dissolved::Handler(handler) => drop(handler),
            });
        }
        let mut server = self.0.server.borrow_mut();
        self.0.outbox.flush(&mut server);
        server.abandon_dropped();
    }

    /// Whether there is anything to tidy.
    #[inline]
    pub(crate) fn is_tidy(&self) -> bool {
        self.0.outbox.is_empty() && self.0.dissolved.borrow().is_empty()
    }
}
