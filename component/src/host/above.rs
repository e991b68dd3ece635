//! The parent's own parent: sessions that go up to it, and those that come from there.

use super::effects::{Answer, Ask};
use super::state::{Client, State};
use super::{Host, WeakHost};
use crate::bank::Account;
use crate::env::Env;
use crate::error::Error;
use crate::hop::Event;
use crate::protocol::{Parent, ParentAsync, Request, Root, Session};
use crate::quota::Quota;
use crate::uplink::Uplink;
use portcullis_rpc::{self as rpc, Capability, Deadline, Later};

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

    /// Asks the parent's own parent, by a task: nobody waits.
    pub(super) fn ask_above(&self, session: u64, number: u64, ask: Ask) {
        let (Some(uplink), Some(entrypoint)) = (self.0.uplink.clone(), self.entrypoint()) else { return };
        let host = self.downgrade();
        entrypoint.spawn(async move {
            let (event, answer) = ask_parent(&uplink, number, ask).await;
            if let Some(host) = host.upgrade() {
                host.answered(session, event, answer);
            }
        });
    }
}

async fn ask_parent(uplink: &Uplink, number: u64, ask: Ask) -> (Event, Answer) {
    let parent = uplink.parent().with_deadline(Deadline::Never);
    match ask {
        Ask::Create(request) => {
            let service = request.service.clone();
            let answer = parent.session_async(Request { number, ..request }).await;
            // It is not the client's budget that is used up.
            let ours = |error| match error {
                Error::OutOfRam { .. } | Error::OutOfCaps { .. } => {
                    Error::denied(&service, "a parent on the way has donated more than it has")
                }
                other => other,
            };
            (Event::Created, answer.map(Some).map_err(ours))
        }
        Ask::Upgrade(quota) => (Event::Upgraded, parent.upgrade_async(number, quota).await.map(|()| None)),
        Ask::Close => (Event::Closed, parent.close_async(number, true).await.map(|()| None)),
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
            Ok(host) => host.session(Client::Above { number: request.number }, request, reply),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }

    fn upgrade(&mut self, number: u64, quota: Quota) -> Later<Result<(), Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => host.upgrade(Client::Above { number }, quota, reply),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }

    fn close(&mut self, number: u64) -> Later<Result<(), Error>> {
        let (later, reply) = Later::new();
        match self.host() {
            Ok(host) => host.close(Client::Above { number }, true, reply),
            Err(error) => reply.answer(Err(error)),
        }
        later
    }
}
