//! Sessions that the parent's own parent asks for.

use super::answering::Answering;
use super::state::{Client, State};
use super::{Host, WeakHost};
use crate::bank::Account;
use crate::env::Env;
use crate::error::Error;
use crate::protocol::{Parent, Request, Root, Session};
use crate::quota::Quota;
use portcullis_rpc::{self as rpc, Capability, Later};

impl Host {
    /// Offers a service of its children to the parent's own parent. Who asks for it is routed by the policy, as a client
    /// without a name.
    ///
    /// # Errors
    /// As [`Env::announce`].
    pub fn announce_above(&self, env: &Env, service: &str) -> Result<(), Error> {
        let root: Capability<dyn Root> = env.entrypoint().manage(Above { host: self.downgrade() });
        env.parent().announce(service, root)
    }
}

impl State {
    /// A session that the parent's own parent had asked for is over: all that was given for it goes back there, where it is
    /// taken from this parent's account. What the server owes of it the parent pays.
    pub(super) fn settle_with_above(&mut self, session: u64, donated: Quota) {
        self.bank.close(Account::Session(session), Account::Own);
        self.bank.take_back(Account::Own, Account::Above, donated);
    }
}

/// The root of a service that children of the parent serve.
struct Above {
    host: WeakHost,
}

impl Above {
    fn host(&self) -> Result<Host, Error> {
        self.host.upgrade().ok_or(Error::Rpc(rpc::Error::Disconnected))
    }
}

impl Root for Above {
    fn create(&mut self, request: Request) -> Later<Result<Capability<dyn Session>, Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => {
                host.session(Client::Above { number: request.number }, request, Answering::Call(reply));
            }
            Err(error) => reply.answer(Err(error)),
        }
        later
    }

    fn upgrade(&mut self, number: u64, quota: Quota) -> Later<Result<(), Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => host.upgrade(Client::Above { number }, quota, Answering::Call(reply)),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }

    fn close(&mut self, number: u64) -> Later<Result<(), Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => host.close(Client::Above { number }, true, Answering::Call(reply)),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }
}
