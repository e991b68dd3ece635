//! What follows from what happens to a session: quota moves, servers are asked, clients are answered.

use super::Host;
use super::state::{Client, Server, Sess, State};
use crate::bank::Account;
use crate::error::Error;
use crate::hop::{Effect, Event};
use crate::protocol::{Request, Root, RootAsync, Session};
use crate::quota::Quota;
use crate::service::HOP_COST;
use portcullis_rpc::{self as rpc, Capability, Deadline};

/// Something that a server is to be asked, when nothing of ours is borrowed.
pub(super) enum Ask {
    Create(Request),
    Upgrade(Quota),
    Close,
}

/// What a server answered.
pub(super) type Answer = Result<Option<Capability<dyn Session>>, Error>;

impl Host {
    /// Something happens to a session.
    pub(super) fn on(&self, session: u64, event: Event) {
        let (asks, is_changed): (Vec<(Server, Ask)>, bool) = {
            let mut state = self.0.state.borrow_mut();
            let Some(sess) = state.sessions.get_mut(&session) else { return };
            let effects = sess.hop.on(event);
            let asks = effects.iter().filter_map(|effect| state.carry_out(session, *effect));
            (asks.collect(), !effects.is_empty())
        };
        asks.into_iter().for_each(|(server, ask)| self.ask(session, server, ask));
        if is_changed {
            // Foreign code: nothing of ours is borrowed.
            self.0.policy.borrow_mut().changed();
        }
    }

    /// Asks a server, by a task: nobody waits.
    fn ask(&self, session: u64, server: Server, ask: Ask) {
        let service = {
            let state = self.0.state.borrow();
            state.sessions.get(&session).map(|sess| sess.request.service.clone())
        };
        let (Some(service), Some(entrypoint)) = (service, self.entrypoint()) else { return };
        match server {
            Server::Above { number } => self.ask_above(session, number, ask),
            Server::Child(_) => {
                let root = self.0.state.borrow().root(server, &service);
                let Some(root) = root else { return };
                let host = self.downgrade();
                entrypoint.spawn(async move {
                    let (event, answer) = ask_root(&root, session, ask).await;
                    if let Some(host) = host.upgrade() {
                        host.answered(session, event, answer);
                    }
                });
            }
        }
    }

    /// A server has answered; the event is that of a good answer.
    pub(super) fn answered(&self, session: u64, event: Event, answer: Answer) {
        // No answer says nothing of the session: it is not wanted any more, whatever has become of it.
        let has_failed = matches!(&answer, Err(Error::Rpc(error)) if *error != rpc::Error::Disconnected);
        let is_lost = has_failed && event == Event::Created;
        if is_lost {
            self.on(session, Event::Close);
        }
        let event = {
            let mut state = self.0.state.borrow_mut();
            let Some(sess) = state.sessions.get_mut(&session) else { return };
            match answer {
                Ok(capability) => {
                    sess.session = capability.or(sess.session.take());
                    event
                }
                // A close that fails is one all the same: what does not know the session does not have it.
                Err(_) if event == Event::Closed => event,
                Err(error) => {
                    let is_dead = error == Error::Rpc(rpc::Error::Disconnected);
                    sess.refused = Some(if is_dead { Error::ServerDied } else { error });
                    // As if it had been made: it is closed at the server then, and not before that is done all is back.
                    if is_lost { event } else { Event::Refused }
                }
            }
        };
        self.on(session, event);
    }
}

/// Asks a root, for as long as it lives. Nobody's time is limited by that: a client gives up when it likes.
async fn ask_root(root: &Capability<dyn Root>, session: u64, ask: Ask) -> (Event, Answer) {
    let root = root.client().with_deadline(Deadline::Never);
    match ask {
        Ask::Create(request) => (Event::Created, root.create_async(request).await.map(Some)),
        Ask::Upgrade(quota) => (Event::Upgraded, root.upgrade_async(session, quota).await.map(|()| None)),
        Ask::Close => (Event::Closed, root.close_async(session).await.map(|()| None)),
    }
}

impl State {
    /// Carries an effect out, as far as nobody else is asked for it.
    fn carry_out(&mut self, session: u64, effect: Effect) -> Option<(Server, Ask)> {
        let sess = self.sessions.get_mut(&session)?;
        let (server, client) = (sess.server, sess.client);
        match effect {
            Effect::Create => {
                let request = sess.request.clone();
                self.give_server(session, request.quota);
                return Some((server, Ask::Create(request)));
            }
            Effect::Upgrade => {
                let quota = sess.upgrade;
                self.give_server(session, quota);
                return Some((server, Ask::Upgrade(quota)));
            }
            Effect::CloseAtServer => return Some((server, Ask::Close)),
            Effect::TakeBack => {
                let quota = std::mem::take(&mut sess.with_server);
                sess.upgrade = Quota::NONE;
                sess.session = None;
                self.take_back(session, server, quota);
            }
            Effect::TakeBackUpgrade => {
                let quota = std::mem::take(&mut sess.upgrade);
                sess.with_server = sess.with_server.saturating_sub(quota);
                sess.donated = sess.donated.saturating_sub(quota);
                self.take_back(session, server, quota);
                self.return_to_client(session, client, quota);
            }
            Effect::AnswerOpen => {
                // The client holds it from here on, and nobody else.
                if let (Some(reply), Some(session)) = (sess.opening.take(), sess.session.take()) {
                    reply.answer(Ok(session));
                }
            }
            Effect::AnswerRefused => {
                let error = sess.refused.take().unwrap_or(Error::ServerDied);
                sess.opening.take().into_iter().for_each(|reply| reply.answer(Err(error.clone())));
            }
            Effect::AnswerClosedBefore => {
                let error = sess.refused.take().unwrap_or(Error::Closed);
                sess.opening.take().into_iter().for_each(|reply| reply.answer(Err(error.clone())));
            }
            Effect::AnswerUpgraded => {
                sess.upgrade = Quota::NONE;
                sess.upgrading.take().into_iter().for_each(|reply| reply.answer(Ok(())));
            }
            Effect::AnswerUpgradeRefused => {
                let error = sess.refused.take().unwrap_or(Error::ServerDied);
                sess.upgrading.take().into_iter().for_each(|reply| reply.answer(Err(error.clone())));
            }
            Effect::Forget => self.forget(session),
        }
        None
    }

    /// What lies in the session's account goes to its server.
    fn give_server(&mut self, session: u64, quota: Quota) {
        let Some(sess) = self.sessions.get_mut(&session) else { return };
        sess.with_server = sess.with_server.saturating_add(quota);
        let (account, server) = (Account::Session(session), sess.server);
        // It lies there, since it was taken when the client asked.
        let given = match State::account(server) {
            Some(server) => self.bank.transfer(account, server, quota),
            None => self.bank.withdraw(account, quota),
        };
        debug_assert!(given.is_ok(), "the session's account has what was donated");
        self.may_use(server, quota.ram);
    }

    fn take_back(&mut self, session: u64, server: Server, quota: Quota) {
        match State::account(server) {
            Some(server) => self.bank.take_back(server, Account::Session(session), quota),
            None => self.bank.deposit(Account::Session(session), quota),
        }
        self.may_not_use(server, quota.ram);
    }

    /// An upgrade that was refused is the client's again. What its server owes of it follows when the session is closed.
    fn return_to_client(&mut self, session: u64, client: Client, quota: Quota) {
        let account = Account::Session(session);
        let back = self.bank.balance(account).saturating_sub(HOP_COST).min(quota);
        let to = match client {
            Client::Child { child, .. } => Account::Child(child),
            Client::Above { .. } => Account::Own,
        };
        // No more than there is.
        let _ = self.bank.transfer(account, to, back);
        if let Client::Above { .. } = client {
            self.bank.take_back(Account::Own, Account::Above, quota);
        }
    }

    /// The session is over: the client has all that it gave, less what its server still owes, which follows.
    fn forget(&mut self, session: u64) {
        let Some(Sess { client, closing, donated, .. }) = self.sessions.remove(&session) else { return };
        self.by_client.remove(&client);
        match client {
            Client::Child { child, .. } => {
                self.bank.close(Account::Session(session), Account::Child(child));
                self.bury(child);
            }
            Client::Above { .. } => self.settle_with_above(session, donated),
        }
        closing.into_iter().for_each(|reply| reply.answer(Ok(())));
    }
}
