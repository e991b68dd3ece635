//! Waiting for the next event: for as long as it takes, or not at all.

use super::Server;
use super::caller::Caller;
use super::event::{Event, Notice, Request};
use super::until::Until;
use crate::context::{self, Context};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use std::os::fd::{AsFd, BorrowedFd};

/// How often a server that must not wait looks again when somebody rang and had nothing to say.
const TRIES: u32 = 4;

impl Server {
    /// Answers the last caller, if there is one, and waits for the next call: the step of a server's loop.
    /// `message` is the reply, and then the call.
    ///
    /// # Errors
    /// As [`reply`](Self::reply) (the next call is not waited for then) and [`wait`](Self::wait).
    #[inline]
    pub fn reply_and_wait(
        &mut self,
        caller: Option<Caller>,
        message: &mut MsgBuf,
        deadline: Deadline,
    ) -> Result<Request, Error> {
        match caller.map(|caller| self.reply(caller, message)) {
            // A client that has gone does not keep the others waiting.
            None | Some(Ok(()) | Err(Error::CallerGone)) => self.wait(message, deadline),
            Some(Err(error)) => Err(error),
        }
    }

    /// Waits for the next call until the deadline; `message` is replaced by it. Clients take turns. For a server that
    /// waits for calls only: other events are passed over.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    #[inline]
    pub fn wait(&mut self, message: &mut MsgBuf, deadline: Deadline) -> Result<Request, Error> {
        let mut until = Until::new(deadline);
        loop {
            if let Event::Call(request) = self.next_until(message, &mut until)? {
                return Ok(request);
            }
            until.pass_over()?;
        }
    }

    /// Waits for the next event until the deadline; `message` is replaced by the call, if it is one. Clients take
    /// turns, and so do calls and other events.
    ///
    /// # Errors
    /// [`Error::DeadlineExceeded`], [`Error::ParentGone`], or [`Error::System`] if the system fails us. What clients
    /// do wrong costs them their channels and is no error here.
    #[inline]
    pub fn next(&mut self, message: &mut MsgBuf, deadline: Deadline) -> Result<Event, Error> {
        self.next_until(message, &mut Until::new(deadline))
    }

    /// Waits for the next event.
    #[inline]
    fn next_until(&mut self, message: &mut MsgBuf, until: &mut Until) -> Result<Event, Error> {
        self.begin(message);
        loop {
            if let Some(event) = self.step(message)? {
                return Ok(event);
            }
            until.pass_over()?;
            self.idle(until)?;
        }
    }

    /// The next event, if there is one now. `None` says that the server's descriptor (`AsFd`) will poll readable when
    /// there is one again: clients ring from now on.
    ///
    /// # Errors
    /// As [`next`](Self::next), without its deadline.
    pub fn try_next(&mut self, message: &mut MsgBuf) -> Result<Option<Event>, Error> {
        self.begin(message);
        for _ in 0..TRIES {
            if let Some(event) = self.step(message)? {
                return Ok(Some(event));
            }
            if self.settle() {
                return Ok(None);
            }
        }
        // Somebody rings all the time and has nothing to say: others have their turn before he is asked again.
        self.pause();
        Ok(None)
    }

    /// Leaves off serving, though there may be more to serve: the server's descriptor polls readable at once. What
    /// the thread calls from now on belongs to no call that it served.
    pub fn pause(&mut self) {
        context::serve(None);
        self.home.bell().ring();
    }

    /// The last call is done with.
    #[inline]
    fn begin(&mut self, message: &mut MsgBuf) {
        context::serve(None);
        // Now and not when the next call is here: the last client is served, the next not yet.
        message.clear();
    }

    /// Looks once at everything that may hold an event.
    #[inline]
    fn step(&mut self, message: &mut MsgBuf) -> Result<Option<Event>, Error> {
        self.housekeep()?;
        if !std::mem::take(&mut self.calls_first)
            && self.may_have_notice()
            && let Some(notice) = self.notice()
        {
            self.calls_first = true;
            return Ok(Some(notice.into()));
        }
        if let Some(request) = self.poll(message) {
            return Ok(Some(Event::Call(request)));
        }
        if self.may_have_notice() {
            return Ok(self.notice().map(Event::from));
        }
        Ok(None)
    }

    /// Reads on where more was to be read than is read at once.
    #[cold]
    fn read_on(&mut self) {
        if let Some(port) = self.unread.pop_front() {
            self.read_socket(port);
        }
    }

    /// Whether there may be an event that is no call.
    #[inline]
    pub(super) fn may_have_notice(&self) -> bool {
        self.woken || self.ledger.may_have_unreferenced() || self.ledger.contexts().are_ready()
    }

    /// What is to be done before anything else, and is no event.
    #[inline]
    pub(super) fn housekeep(&mut self) -> Result<(), Error> {
        if self.home.wants_attention() {
            self.attend();
        }
        if !self.dropped.borrow().is_empty() {
            self.abandon_dropped();
        }
        if !self.unread.is_empty() {
            self.read_on();
        }
        if self.parent_gone { Err(Error::ParentGone) } else { Ok(()) }
    }

    /// The next event that is no call: signals and all else take turns. What its handler calls begins a chain of its own.
    /// Apart from the calls' way, and not cold: signals come by it.
    #[inline(never)]
    fn notice(&mut self) -> Option<Notice> {
        let first = if self.signals_last { None } else { self.signal() };
        let notice = first.or_else(|| self.own_notice()).or_else(|| self.signal())?;
        self.signals_last = matches!(notice, Notice::Signal(_));
        self.found();
        context::serve(Some(Context::unasked(self.home.id())));
        Some(notice)
    }

    #[inline]
    fn own_notice(&mut self) -> Option<Notice> {
        if std::mem::take(&mut self.woken) {
            return Some(Notice::Woken);
        }
        self.ledger.unreferenced().map(Notice::Unreferenced)
    }
}

/// Polls readable when [`try_next`](Server::try_next) may have an event, once that has answered `None`. Good for
/// nothing else.
impl AsFd for Server {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
