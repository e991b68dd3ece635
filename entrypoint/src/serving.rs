//! The loop: from an event to the handler that it is for, and back.

use crate::entrypoint::Entrypoint;
use crate::error::Error;
use crate::object::{Served, Unanswered};
use crate::turn::{CheckedOut, InTurn, Turn, caught};
use portcullis_ipc::{self as ipc, Badge, Caller, Deadline, Event, MsgBuf, Refusal, Request};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

/// Events that are handled before a foreign event loop has its turn again.
const EVENTS_AT_ONCE: usize = 64;
/// Posted closures that are run before a call has its turn again.
const JOBS_AT_ONCE: usize = 32;

/// The two messages of a call: what came, and the answer.
#[derive(Default)]
struct Messages {
    request: MsgBuf,
    reply: MsgBuf,
}

impl Entrypoint {
    /// Serves until [`stop`](Self::stop): waits for calls, posted closures and notices, and runs their handlers one
    /// after the other. What handlers and clients do wrong does not end it.
    ///
    /// # Errors
    /// [`Error::Nested`] within a handler. The transport's `ParentGone` if the parent is served and has ended, or
    /// what the system refuses.
    pub fn run(&self) -> Result<(), Error> {
        self.run_until(Deadline::Never)
    }

    /// Serves as [`run`](Self::run), and returns at the deadline at the latest, or after the handler that runs then.
    ///
    /// # Errors
    /// As [`run`](Self::run); the deadline is none.
    pub fn run_until(&self, deadline: Deadline) -> Result<(), Error> {
        self.outermost()?;
        let end = deadline.instant();
        let mut messages = Messages::default();
        let result = loop {
            if self.0.stopped.take() {
                break Ok(());
            }
            let left = end.map_or(Deadline::Never, |end| {
                Deadline::After(end.saturating_duration_since(Instant::now()))
            });
            let event = match left {
                Deadline::After(left) if left.is_zero() => break Ok(()),
                left => self.0.server.borrow_mut().next(&mut messages.request, left),
            };
            match event {
                Ok(event) => self.handle_event(event, &mut messages),
                Err(ipc::Error::DeadlineExceeded) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
        };
        // There may be more, for whoever serves next: another `run`, or a foreign loop by the descriptor.
        self.0.server.borrow_mut().pause();
        result
    }

    /// Serves what is there, and does not wait: for a foreign event loop, which calls it whenever the
    /// [`readiness`](Self::readiness) descriptor polls readable, and once before it first waits for that. Answers how
    /// many events were handled: at most 64, so that others have their turn, and the descriptor stays readable if
    /// there are more.
    ///
    /// Whoever answers a [`Reply`](portcullis_rpc::Reply) outside of a handler calls it afterwards, too: it sends
    /// the answer.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn dispatch_ready(&self) -> Result<usize, Error> {
        self.outermost()?;
        let mut messages = Messages::default();
        for handled in 0..EVENTS_AT_ONCE {
            // Borrowed for this statement only, and not while the handler runs.
            let event = self.0.server.borrow_mut().try_next(&mut messages.request)?;
            match event {
                Some(event) => self.handle_event(event, &mut messages),
                None => return Ok(handled),
            }
        }
        self.0.server.borrow_mut().pause();
        Ok(EVENTS_AT_ONCE)
    }

    /// A descriptor that polls readable when [`dispatch_ready`](Self::dispatch_ready) has something to do, once that
    /// has been called. Good for nothing else. It is a duplicate: close it when the loop is done with it.
    ///
    /// # Errors
    /// [`Error::Transport`] if the system has no descriptor left.
    pub fn readiness(&self) -> Result<OwnedFd, Error> {
        let server = self.0.server.borrow();
        server.as_fd().try_clone_to_owned().map_err(|error| {
            let reason = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::MFILE);
            Error::Transport(ipc::Error::System { call: "fcntl(F_DUPFD_CLOEXEC)", reason })
        })
    }

    /// Has [`run`](Self::run), or a task that serves, return: after the handler that runs now, or at once when it is next called.
    pub fn stop(&self) {
        self.0.stopped.set(true);
        self.0.outbox.wake();
    }

    /// The loop is no handler's business.
    fn outermost(&self) -> Result<(), Error> {
        if self.0.turn.get() != Turn::Nobodys {
            return Err(Error::Nested);
        }
        // Answers that were given since, outside of any handler.
        self.tidy();
        Ok(())
    }

    #[inline(always)]
    fn handle_event(&self, event: Event, messages: &mut Messages) {
        match event {
            Event::Call(request) => self.handle_call(request, messages),
            Event::Woken => self.run_jobs(),
            Event::Unreferenced(badge) => self.tell_unreferenced(badge),
            Event::Signal(context) => self.run_handler(context, None),
        }
        if !self.is_tidy() {
            self.tidy();
        }
    }

    #[inline(always)]
    fn handle_call(&self, Request { badge, caller }: Request, messages: &mut Messages) {
        let Messages { request, reply } = messages;
        match self.check_out_for_call(badge) {
            Ok(mut object) => {
                let served = self.run_method(&mut object, request, reply);
                // The client goes on while the object goes back.
                self.answer(caller, served, reply);
            }
            Err(error) => self.leave_unanswered(caller, Unanswered::For(error)),
        }
        // What was delegated is the client's from now on, and not held here as well.
        reply.clear();
    }

    /// Tells the client what its call came to: now, or when the result that is promised is there.
    #[inline(always)]
    fn answer(&self, caller: Caller, served: Served, reply: &MsgBuf) {
        match served {
            // The client is told what is wrong with an answer, and whether it still waits for one is its own business.
            Ok(()) => drop(self.0.server.borrow_mut().reply(caller, reply)),
            Err(unanswered) => self.leave_unanswered(caller, *unanswered),
        }
    }

    #[cold]
    fn leave_unanswered(&self, caller: Caller, unanswered: Unanswered) {
        match unanswered {
            Unanswered::Yet(deferred) => deferred.bind(caller, &self.0.outbox),
            Unanswered::For(error) => drop(self.0.server.borrow_mut().fail(caller, &error)),
        }
    }

    /// Runs the method that is called on an object, for an object that passes its calls on.
    pub(crate) fn serve_object(&self, badge: Badge, request: &mut MsgBuf, reply: &mut MsgBuf) -> Served {
        let mut object = self.check_out_for_call(badge)?;
        self.run_method(&mut object, request, reply)
    }

    #[inline(always)]
    fn check_out_for_call(&self, badge: Badge) -> Result<CheckedOut<'_>, ipc::Error> {
        self.check_out(badge).map_err(|error| match error {
            Error::Busy => ipc::Error::Busy,
            _ => ipc::Error::InvalidCapability,
        })
    }

    #[inline(always)]
    fn run_method(&self, object: &mut CheckedOut<'_>, request: &mut MsgBuf, reply: &mut MsgBuf) -> Served {
        let panicked = || Err(ipc::Error::Refused(Refusal::Panicked).into());
        caught(|| object.get().serve(self, request, reply)).unwrap_or_else(panicked)
    }

    #[cold]
    fn run_jobs(&self) {
        for _ in 0..JOBS_AT_ONCE {
            let Some(job) = self.0.mailbox.next() else { return };
            {
                let _turn = InTurn::new(&self.0, Turn::Others);
                caught(|| job(self));
            }
            self.tidy();
        }
        self.0.mailbox.come_back();
    }

    #[cold]
    fn tell_unreferenced(&self, badge: Badge) {
        // Dissolved meanwhile: then nobody needs to know.
        if let Ok(mut object) = self.check_out(badge) {
            caught(|| object.get().unreferenced(self));
        }
    }
}
