//! Signals: contexts, their handlers, and waiting for one within a handler.

use crate::entrypoint::Entrypoint;
use crate::error::Error;
use crate::handlers::Handler;
use crate::object::Silent;
use crate::trace;
use crate::turn::{Dissolved, InTurn, Turn, caught};
use portcullis_ipc::{Badge, Deadline, SignalLevel};
use portcullis_rpc::{Capability, SignalCapability};
use std::any::Any;
use std::rc::Rc;

impl Entrypoint {
    /// Makes a signal context whose handler is bound to an object of this entrypoint, and answers with the right to
    /// submit signals to it. One source of signals, one context. The handler runs with the object when there is a
    /// signal, as a handler of its own ([`SignalLevel::Application`]) or while another one waits for it, too
    /// ([`SignalLevel::Io`]).
    ///
    /// The context ends when it is [dissolved](Self::dissolve_signal), or with its object.
    ///
    /// ```
    /// use portcullis_entrypoint::{Entrypoint, SignalLevel};
    /// use portcullis_ipc::Pd;
    /// use portcullis_rpc::{Capability, Error, rpc_interface};
    ///
    /// #[rpc_interface]
    /// trait Clock {
    ///     fn ticks(&mut self) -> Result<u32, Error>;
    /// }
    ///
    /// struct Ticks(u32);
    ///
    /// impl Clock for Ticks {
    ///     fn ticks(&mut self) -> Result<u32, Error> {
    ///         Ok(self.0)
    ///     }
    /// }
    ///
    /// impl Ticks {
    ///     fn tick(&mut self, entrypoint: &Entrypoint) {
    ///         self.0 += 1;
    ///         entrypoint.stop();
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let entrypoint = Entrypoint::new(&Pd::new()?)?;
    /// let clock: Capability<dyn Clock> = entrypoint.manage(Ticks(0));
    /// let tick = entrypoint.handle_signal(&clock, SignalLevel::Application, Ticks::tick)?;
    /// let producer = std::thread::spawn(move || tick.submit());
    /// entrypoint.run()?;
    /// assert_eq!(entrypoint.apply(&clock, |clock: &mut Ticks| clock.0)?, 1);
    /// # producer.join().expect("it only submits");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotManaged`] if the capability names no object of this entrypoint, [`Error::WrongType`] if it is no `T`.
    ///
    /// # Panics
    /// If there are 2³¹ contexts at once, which no memory holds.
    pub fn handle_signal<I: ?Sized, T: 'static>(
        &self,
        object: &Capability<I>,
        level: SignalLevel,
        handler: impl Fn(&mut T, &Entrypoint) + 'static,
    ) -> Result<SignalCapability, Error> {
        let object = self.badge_of(object)?;
        self.bind(object, level, handler)
    }

    /// As [`handle_signal`](Self::handle_signal), bound to the object whose handler runs: for methods that make
    /// contexts for their own object. One that hands a context to its caller makes it once, and clones the capability: each lives
    /// as long as its object, whether or not somebody holds it.
    ///
    /// # Errors
    /// [`Error::NotManaged`] outside of the handlers of an object, [`Error::WrongType`] if it is no `T`.
    ///
    /// # Panics
    /// As [`handle_signal`](Self::handle_signal).
    pub fn handle_signal_here<T: 'static>(
        &self,
        level: SignalLevel,
        handler: impl Fn(&mut T, &Entrypoint) + 'static,
    ) -> Result<SignalCapability, Error> {
        match self.0.turn.get() {
            Turn::Objects(object) => self.bind(object, level, handler),
            Turn::Nobodys | Turn::Others => Err(Error::NotManaged),
        }
    }

    /// As [`handle_signal`](Self::handle_signal), with an object that has no interface and is there for its signals
    /// alone. It ends with the last context that is bound to it.
    ///
    /// # Panics
    /// As [`handle_signal`](Self::handle_signal).
    pub fn manage_signal<T: 'static>(
        &self,
        object: T,
        level: SignalLevel,
        handler: impl Fn(&mut T, &Entrypoint) + 'static,
    ) -> SignalCapability {
        let minted = self.0.server.borrow_mut().mint();
        let (badge, _) = minted.expect("fewer than 2^31 objects fit into memory");
        self.0.pool.borrow_mut().insert(badge, Box::new(Silent(object)));
        self.add_context(badge, level, handler, true)
    }

    fn bind<T: 'static>(
        &self,
        object: Badge,
        level: SignalLevel,
        handler: impl Fn(&mut T, &Entrypoint) + 'static,
    ) -> Result<SignalCapability, Error> {
        self.0.pool.borrow_mut().check_type::<T>(object)?;
        Ok(self.add_context(object, level, handler, false))
    }

    fn add_context<T: 'static>(
        &self,
        object: Badge,
        level: SignalLevel,
        handler: impl Fn(&mut T, &Entrypoint) + 'static,
        only_for_signals: bool,
    ) -> SignalCapability {
        let minted = self.0.server.borrow_mut().mint_context(level);
        let (badge, capability) = minted.expect("fewer than 2^31 contexts fit into memory");
        let handler: Handler = Rc::new(move |object: &mut dyn Any, entrypoint: &Entrypoint| {
            // Checked when it was bound.
            if let Some(object) = object.downcast_mut() {
                handler(object, entrypoint);
            }
        });
        self.0.handlers.borrow_mut().insert(badge, object, handler);
        self.0.pool.borrow_mut().bind(object, badge, only_for_signals);
        SignalCapability::from_untyped(capability)
    }

    /// Ends a signal context: no handler of it begins any more, and what is submitted to it, wherever, does nothing. A
    /// handler of it that runs now goes on.
    ///
    /// Answers whether the capability named a signal context of this entrypoint.
    pub fn dissolve_signal(&self, context: &SignalCapability) -> bool {
        let badge = self.0.server.borrow().badge_of(context.untyped());
        let dissolved = badge.is_some_and(|badge| self.end_context(badge));
        self.tidy();
        dissolved
    }

    /// Answers whether it was a context.
    pub(crate) fn end_context(&self, badge: Badge) -> bool {
        let Some(bound) = self.0.handlers.borrow_mut().remove(badge) else { return false };
        self.0.server.borrow_mut().dissolve(badge);
        let is_last = self.0.pool.borrow_mut().unbind(bound.object, badge);
        let object = bound.object;
        // What the handler holds is foreign code's, and dropped between handlers.
        self.0.dissolved.borrow_mut().push(Dissolved::Handler(bound.handler));
        if is_last {
            self.dissolve_badge(object);
        }
        true
    }

    /// From within a method: waits for one signal of level [`Io`](SignalLevel::Io), for as long as the method's
    /// caller waits and no longer than the default time of the protection domain, and runs its handler. See
    /// [`wait_and_dispatch_one_io_signal_with`](Self::wait_and_dispatch_one_io_signal_with).
    ///
    /// # Errors
    /// As [`wait_and_dispatch_one_io_signal_with`](Self::wait_and_dispatch_one_io_signal_with).
    pub fn wait_and_dispatch_one_io_signal<T: 'static>(&self, lent: &mut T) -> Result<(), Error> {
        self.wait_and_dispatch_one_io_signal_with(lent, self.0.mailbox.patience())
    }

    /// From within a method: waits for one signal of level [`Io`](SignalLevel::Io) until the deadline, for no longer
    /// than the method's caller waits, and runs its handler within this one.
    ///
    /// The method lends its object, so that handlers which are bound to it can run: it passes `self`. Signals for
    /// objects that wait further up the stack stay pending, and so do signals of level `Application`, calls, and
    /// everything else.
    ///
    /// # Errors
    /// [`Error::NotLent`] if `lent` is not the object whose handler runs (where none of an object does, anything will
    /// do), [`Error::DeadlineExceeded`] if there was no such signal in time, or the transport's `ParentGone`.
    pub fn wait_and_dispatch_one_io_signal_with<T: 'static>(
        &self,
        lent: &mut T,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let inner = &*self.0;
        let own = match inner.turn.get() {
            Turn::Objects(own) => Some(own),
            Turn::Nobodys | Turn::Others => None,
        };
        if own.is_some_and(|own| !inner.pool.borrow_mut().may_be_lent(own, lent)) {
            return Err(Error::NotLent);
        }
        // Whoever waits for an answer may be whom this wait is for.
        inner.outbox.flush(&mut inner.server.borrow_mut());
        let nested = inner.server.borrow_mut().next_io_signal(deadline, |context| {
            let handlers = inner.handlers.borrow();
            let object = handlers.get(context).map(|bound| bound.object);
            object.is_some_and(|object| Some(object) == own || inner.pool.borrow_mut().is_at_rest(object))
        });
        let nested = nested.map_err(|error| match error {
            portcullis_ipc::Error::DeadlineExceeded => Error::DeadlineExceeded,
            error => Error::Transport(error),
        })?;
        self.run_handler(nested.badge, own.map(|own| (own, lent as &mut dyn Any)));
        drop(nested);
        if own.is_none() {
            self.tidy();
        }
        // As before it: the handler that waits may do so by other means from now on.
        inner.outbox.flush(&mut inner.server.borrow_mut());
        Ok(())
    }

    /// Runs the handler of a signal: with the object that is lent, or out of the pool.
    pub(crate) fn run_handler(&self, context: Badge, lent: Option<(Badge, &mut dyn Any)>) {
        let bound = self.0.handlers.borrow().get(context).map(|bound| (bound.object, bound.handler.clone()));
        // Dissolved meanwhile.
        let Some((object, handler)) = bound else { return };
        let _traced = trace::Signal::of(context, object);
        match lent {
            Some((own, lent)) if own == object => {
                let _turn = InTurn::new(&self.0, Turn::Objects(own));
                caught(|| handler(lent, self));
            }
            _ => {
                if let Ok(mut object) = self.check_out(object) {
                    caught(|| handler(object.get().as_any(), self));
                }
            }
        }
    }
}
