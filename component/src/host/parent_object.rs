//! The object that a child calls as its parent.

use super::WeakHost;
use super::answering::{Answering, Outcomes};
use super::state::Client;
use crate::error::Error;
use crate::protocol::{Errand, Outcome, Parent, Request, Root, Session};
use crate::quota::Quota;
use portcullis_rpc::{self as rpc, Capability, Later, SignalCapability};
use std::rc::Rc;

/// One child's parent. Who holds the capability to it is that child, and can be no other.
pub(super) struct ParentObject {
    pub(super) host: WeakHost,
    pub(super) child: u64,
    pub(super) outcomes: Rc<Outcomes>,
}

impl ParentObject {
    fn host(&self) -> Result<super::Host, Error> {
        self.host.upgrade().ok_or(Error::Rpc(rpc::Error::Disconnected))
    }

    /// What somebody else has started for this child may have ended.
    pub(super) fn process_has_ended(&mut self) {
        if let Ok(host) = self.host() {
            host.look_for_end(self.child);
        }
    }

    fn client(&self, number: u64) -> Client {
        Client::Child { child: self.child, number }
    }
}

impl Parent for ParentObject {
    fn session(&mut self, request: Request) -> Later<Result<Capability<dyn Session>, Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => host.session(self.client(request.number), request, Answering::Call(reply)),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }

    fn upgrade(&mut self, number: u64, quota: Quota) -> Later<Result<(), Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => host.upgrade(self.client(number), quota, Answering::Call(reply)),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }

    fn close(&mut self, number: u64, when_back: bool) -> Later<Result<(), Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => host.close(self.client(number), when_back, Answering::Call(reply)),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }

    fn announce(&mut self, service: &str, root: Capability<dyn Root>) -> Result<(), Error> {
        self.host()?.announce(self.child, service, root)
    }

    fn budget(&mut self) -> Result<Quota, Error> {
        Ok(self.host()?.budget_of(self.child))
    }

    fn ask(&mut self, quota: Quota) -> Later<Result<(), Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => host.wish(self.child, quota, Answering::Call(reply)),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }

    fn give_back(&mut self, quota: Quota) -> Result<(), Error> {
        self.host()?.given_back(self.child, quota)
    }

    fn exit(&mut self, code: i32) -> Result<(), Error> {
        self.host()?.exits(self.child, code);
        Ok(())
    }

    fn set_aside(&mut self, quota: Quota) -> Result<(), Error> {
        self.host()?.sets_aside(self.child, quota)
    }

    fn release(&mut self, quota: Quota) -> Result<(), Error> {
        self.host()?.releases(self.child, quota)
    }

    fn begin(&mut self, errand: Errand) -> Result<(), Error> {
        let (host, outcomes) = (self.host()?, &self.outcomes);
        if outcomes.are_full() {
            return Err(Error::TooManyOutcomes);
        }
        match errand {
            Errand::Session(request) => {
                let reply = outcomes.of_session(request.number);
                host.session(self.client(request.number), request, reply);
            }
            Errand::Upgrade { number, quota } => {
                host.upgrade(self.client(number), quota, outcomes.of(number));
            }
            Errand::Close { number } => host.close(self.client(number), true, outcomes.of(number)),
        }
        Ok(())
    }

    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error> {
        self.outcomes.listen(context);
        Ok(())
    }

    fn outcome(&mut self, has_come: Option<u64>, is_lost: bool) -> Result<Option<Outcome>, Error> {
        Ok(self.outcomes.next(has_come, is_lost))
    }
}
