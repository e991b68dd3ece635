//! Whom an answer goes to: a call that waits for it, or the outcomes of one child, which that fetches.

use crate::error::Error;
use crate::protocol::{Outcome, Session};
use portcullis_rpc::{self as rpc, Capability, Reply, SignalCapability};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// The most outcomes of one child that lie there before it may have more begun. What it has under way then is bounded by what it pays for
/// its sessions.
const MOST: usize = 1024;

/// The right to answer once.
pub(super) enum Answering<T> {
    Call(Reply<Result<T, Error>>),
    Outcome { to: Rc<Outcomes>, number: u64, brings: fn(T) -> Option<Capability<dyn Session>> },
}

impl<T> Answering<T> {
    /// Whether nobody waits in a lane for it.
    pub(super) fn is_errand(&self) -> bool {
        matches!(self, Answering::Outcome { .. })
    }

    /// Answers, and waits for nobody.
    pub(super) fn answer(self, result: Result<T, Error>) {
        match self {
            Answering::Call(reply) => reply.answer(result),
            Answering::Outcome { to, number, brings } => {
                // It has to fit, whatever a server has said.
                to.add(number, result.map(brings).map_err(Error::in_brief));
            }
        }
    }
}

/// What has come of one child's errands, until it fetches that.
#[derive(Default)]
pub(super) struct Outcomes {
    there: RefCell<VecDeque<Outcome>>,
    /// The serial number of the last one.
    last: Cell<u64>,
    listener: RefCell<Option<SignalCapability>>,
}

impl Outcomes {
    /// Where the outcome of a request for a session goes.
    pub(super) fn of_session(self: &Rc<Self>, number: u64) -> Answering<Capability<dyn Session>> {
        Answering::Outcome { to: self.clone(), number, brings: Some }
    }

    /// Where that of any other errand goes.
    pub(super) fn of(self: &Rc<Self>, number: u64) -> Answering<()> {
        Answering::Outcome { to: self.clone(), number, brings: |()| None }
    }

    pub(super) fn are_full(&self) -> bool {
        self.there.borrow().len() >= MOST
    }

    fn add(&self, number: u64, result: Result<Option<Capability<dyn Session>>, Error>) {
        let serial = self.last.get() + 1;
        self.last.set(serial);
        self.there.borrow_mut().push_back(Outcome { serial, number, result });
        self.listener.borrow().iter().for_each(SignalCapability::submit);
    }

    /// The one that has lain there longest, without the one before it if that has come. If it is lost, it brings no session any more: what
    /// a server made cannot be handed on, and may not keep what is behind it.
    pub(super) fn next(&self, has_come: Option<u64>, is_lost: bool) -> Option<Outcome> {
        let mut there = self.there.borrow_mut();
        there.pop_front_if(|first| has_come == Some(first.serial));
        let first = there.front_mut()?;
        if is_lost && matches!(first.result, Ok(Some(_))) {
            first.result = Err(Error::Rpc(rpc::Error::InvalidCapability));
        }
        Some(first.clone())
    }

    /// Whoever fetches them is told so, from now on.
    pub(super) fn listen(&self, context: SignalCapability) {
        if !self.there.borrow().is_empty() {
            context.submit();
        }
        *self.listener.borrow_mut() = Some(context);
    }
}
