//! What children ask of their parent.

use super::Host;
use super::policy::{Asked, Exit, Route, Wish};
use super::state::{Client, Done, Opened, Server, Sess};
use crate::bank::{Account, Bank};
use crate::error::Error;
use crate::hop::{Event, Hop};
use crate::protocol::{MAX_SERVICE, Request, Root};
use crate::quota::Quota;
use crate::service::HOP_COST;
use portcullis_rpc::Capability;

/// The most services that one child announces.
const MAX_SERVICES: usize = 64;

/// The most wishes of one child that wait at a time.
const MAX_WISHES: usize = 16;

impl Host {
    /// Somebody asks for a session. Answered when it is there or denied.
    pub(super) fn session(&self, client: Client, request: Request, reply: Opened) {
        match self.begin(client, request) {
            Ok(session) => self.wait_for(session, reply),
            Err(error) => reply.answer(Err(error)),
        }
    }

    /// Checks a request, decides where it goes, and takes what is donated. After that, all that happens to the session is
    /// the business of its states.
    fn begin(&self, client: Client, mut request: Request) -> Result<u64, Error> {
        request.check()?;
        let name = self.name(client)?;
        if self.0.state.borrow().by_client.contains_key(&client) {
            return Err(Error::NumberInUse);
        }
        let label = request.label;
        let asked = Asked { client: &name, service: &request.service, label: &label };
        // Foreign code: nothing of ours is borrowed.
        let route = self.0.policy.borrow_mut().route(asked);
        request.label = if name.is_empty() { label } else { label.within(&name)? };
        let server = self.server(route, &request)?;

        let donated = request.quota;
        let onward = donated.checked_sub(HOP_COST);
        request.quota = onward.ok_or_else(|| Error::insufficient(donated.missing_for(HOP_COST)))?;
        let mut state = self.0.state.borrow_mut();
        let session = state.number();
        let account = Account::Session(session);
        match client {
            Client::Child { child, .. } => {
                state.bank.transfer(Account::Child(child), account, donated).map_err(Error::out_of)?;
            }
            Client::Above { .. } => state.bank.deposit(account, donated),
        }
        // What it is called from here on is ours to choose.
        request.number = session;
        state.by_client.insert(client, session);
        state.sessions.insert(session, Sess::new(client, server, request, donated));
        Ok(session)
    }

    /// The name of a client; empty for the parent's own parent.
    fn name(&self, client: Client) -> Result<String, Error> {
        match client {
            Client::Above { .. } => Ok(String::new()),
            Client::Child { child, .. } => {
                let state = self.0.state.borrow();
                Ok(state.children.get(&child).ok_or(Error::Closed)?.name.clone())
            }
        }
    }

    /// Who is to be asked.
    fn server(&self, route: Route, request: &Request) -> Result<Server, Error> {
        let denied = |reason: &str| Error::denied(&request.service, reason);
        match route {
            Route::Child(name) => {
                let child = self.0.state.borrow().child_named(&name);
                child
                    .map(Server::Child)
                    .ok_or_else(|| denied("the component that would serve it does not run"))
            }
            Route::Awaited(name) => Ok(Server::Child(self.0.state.borrow_mut().awaited(&name))),
            Route::Parent => match &self.0.uplink {
                Some(uplink) => Ok(Server::Above { number: uplink.number() }),
                None => Err(denied("it is routed to the parent's own parent, and there is none")),
            },
            Route::Denied(reason) => Err(denied(&reason)),
        }
    }

    /// Leaves the reply with the session, and goes on if its server is there.
    fn wait_for(&self, session: u64, reply: Opened) {
        let is_ready = {
            let mut state = self.0.state.borrow_mut();
            let Some(sess) = state.sessions.get_mut(&session) else { return };
            sess.opening = Some(reply);
            let (server, service) = (sess.server, sess.request.service.clone());
            matches!(server, Server::Above { .. }) || state.root(server, &service).is_some()
        };
        if is_ready {
            self.on(session, Event::ServerReady);
        }
    }

    /// A client adds to its donation.
    pub(super) fn upgrade(&self, client: Client, quota: Quota, reply: Done) {
        match self.take_upgrade(client, quota) {
            Ok(session) => {
                if let Some(sess) = self.0.state.borrow_mut().sessions.get_mut(&session) {
                    sess.upgrading = Some(reply);
                }
                self.on(session, Event::Upgrade);
            }
            Err(error) => reply.answer(Err(error)),
        }
    }

    fn take_upgrade(&self, client: Client, quota: Quota) -> Result<u64, Error> {
        let mut state = self.0.state.borrow_mut();
        let session = *state.by_client.get(&client).ok_or(Error::UnknownSession)?;
        let sess = state.sessions.get(&session).ok_or(Error::UnknownSession)?;
        if !sess.hop.may_upgrade() {
            return Err(Error::SessionBusy);
        }
        match client {
            Client::Child { child, .. } => {
                let account = Account::Session(session);
                state.bank.transfer(Account::Child(child), account, quota).map_err(Error::out_of)?;
            }
            Client::Above { .. } => state.bank.deposit(Account::Session(session), quota),
        }
        if let Some(sess) = state.sessions.get_mut(&session) {
            sess.upgrade = quota;
            sess.donated = sess.donated.saturating_add(quota);
        }
        Ok(session)
    }

    /// A client wants a session closed, or does not want what it asked for.
    pub(super) fn close(&self, client: Client, when_back: bool, reply: Done) {
        let Some(session) = self.0.state.borrow().by_client.get(&client).copied() else {
            return reply.answer(Err(Error::UnknownSession));
        };
        if when_back {
            if let Some(sess) = self.0.state.borrow_mut().sessions.get_mut(&session) {
                // A call that waits has a lane, and of those there are few. An errand has nothing but its session.
                if reply.is_errand() && sess.closing.iter().any(Done::is_errand) {
                    return reply.answer(Err(Error::SessionBusy));
                }
                sess.closing.push(reply);
            }
        } else {
            reply.answer(Ok(()));
        }
        self.on(session, Event::Close);
    }

    /// A child offers a service. Whoever has waited for it goes on.
    pub(super) fn announce(
        &self,
        child: u64,
        service: &str,
        root: Capability<dyn Root>,
    ) -> Result<(), Error> {
        let denied = |reason| Err(Error::denied(service, reason));
        let waiting: Vec<u64> = {
            let mut state = self.0.state.borrow_mut();
            let record = state.children.get_mut(&child).ok_or(Error::Closed)?;
            if service.len() > MAX_SERVICE {
                return denied("the name of a service has at most 64 bytes");
            }
            if record.services.len() >= MAX_SERVICES {
                return denied("a component announces at most 64 services");
            }
            if record.services.contains_key(service) {
                return denied("this component has announced it already");
            }
            record.services.insert(service.to_owned(), root);
            let theirs = |sess: &Sess| sess.server == Server::Child(child) && sess.request.service == service;
            state.sessions.iter().filter(|(_, sess)| theirs(sess)).map(|(session, _)| *session).collect()
        };
        waiting.into_iter().for_each(|session| self.on(session, Event::ServerReady));
        Ok(())
    }

    pub(super) fn budget_of(&self, child: u64) -> Quota {
        self.0.state.borrow().bank.balance(Account::Child(child))
    }

    /// A child wants more quota.
    pub(super) fn wish(&self, child: u64, quota: Quota, reply: Done) {
        let Ok(name) = self.name(Client::Child { child, number: 0 }) else {
            return reply.answer(Err(Error::Closed));
        };
        // Foreign code: nothing of ours is borrowed.
        let decision = self.0.policy.borrow_mut().wish(&name, quota);
        let mut state = self.0.state.borrow_mut();
        match decision {
            Wish::Granted => {
                let granted = state.bank.transfer(Account::Own, Account::Child(child), quota);
                reply.answer(granted.map_err(|_| Error::NotGranted));
            }
            Wish::Refused => reply.answer(Err(Error::NotGranted)),
            Wish::Waits => match state.children.get_mut(&child) {
                Some(record) if record.wishes.len() < MAX_WISHES => record.wishes.push((quota, reply)),
                _ => reply.answer(Err(Error::NotGranted)),
            },
        }
    }

    /// A child gives quota back.
    pub(super) fn given_back(&self, child: u64, quota: Quota) -> Result<(), Error> {
        self.with_bank(|bank| bank.transfer(Account::Child(child), Account::Own, quota))
            .map_err(Error::out_of)
    }

    /// A child uses quota itself.
    pub(super) fn sets_aside(&self, child: u64, quota: Quota) -> Result<(), Error> {
        let mut state = self.0.state.borrow_mut();
        let paid = state.bank.transfer(Account::Child(child), Account::Aside(child), quota);
        paid.map_err(Error::out_of)
    }

    /// A child uses quota no more. It pays what the child owes first.
    pub(super) fn releases(&self, child: u64, quota: Quota) -> Result<(), Error> {
        let released =
            self.with_bank(|bank| bank.transfer(Account::Aside(child), Account::Child(child), quota));
        released.map_err(|_| Error::NotGranted)
    }

    /// Moves something between accounts. If the own one has something else then, whoever decides is told.
    fn with_bank<R>(&self, moves: impl FnOnce(&mut Bank) -> R) -> R {
        let (result, is_changed) = {
            let bank = &mut self.0.state.borrow_mut().bank;
            let before = bank.balance(Account::Own);
            let result = moves(bank);
            (result, bank.balance(Account::Own) != before)
        };
        if is_changed {
            // Foreign code: nothing of ours is borrowed.
            self.0.policy.borrow_mut().changed();
        }
        result
    }

    /// A child says how it ends. It is believed when it has ended.
    pub(super) fn exits(&self, child: u64, code: i32) {
        if let Some(record) = self.0.state.borrow_mut().children.get_mut(&child) {
            record.exit = Some(Exit::Code(code));
        }
    }
}

impl Sess {
    fn new(client: Client, server: Server, request: Request, donated: Quota) -> Sess {
        Sess {
            hop: Hop::new(),
            client,
            server,
            request,
            with_server: Quota::NONE,
            donated,
            upgrade: Quota::NONE,
            session: None,
            opening: None,
            upgrading: None,
            closing: Vec::new(),
            refused: None,
        }
    }
}
