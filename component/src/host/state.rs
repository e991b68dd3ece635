//! What a parent knows: its children, their sessions, and the accounts of all.

use super::answering::Answering;
use super::memory::Memory;
use super::policy::Exit;
use super::spec::Running;
use crate::bank::{Account, Bank};
use crate::error::Error;
use crate::hop::{Event, Hop};
use crate::protocol::{Component, Errand, Parent, Request, Root, Session};
use crate::quota::Quota;
use portcullis_rpc::Capability;
use std::collections::{BTreeMap, VecDeque};

/// The answer to a wish, or to anything that brings no more than that it was done.
pub(super) type Done = Answering<()>;

/// The answer to a request for a session.
pub(super) type Opened = Answering<Capability<dyn Session>>;

/// Who asked for a session, and what he calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Client {
    Child {
        child: u64,
        number: u64,
    },
    /// The parent's own parent.
    Above {
        number: u64,
    },
}

/// Who is asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    Child(u64),
    /// The parent's own parent, and what the session is called there.
    Above {
        number: u64,
    },
}

pub(super) struct State {
    pub(super) bank: Bank,
    pub(super) children: BTreeMap<u64, Child>,
    pub(super) sessions: BTreeMap<u64, Sess>,
    pub(super) by_client: BTreeMap<Client, u64>,
    /// What the parent's own parent was asked to do and has not answered: what the session is called there, which one it is, and what
    /// happens to it if that is done.
    pub(super) errands: BTreeMap<u64, (u64, Event)>,
    /// Of these, what it was asked in vain: as many outcomes lay there as it keeps.
    pub(super) put_off: VecDeque<Errand>,
    /// The numbers of children that are not there yet, and that sessions wait for.
    pub(super) awaited: BTreeMap<String, u64>,
    /// The last number that a child or a session got. No number comes twice.
    pub(super) last: u64,
}

pub(super) struct Child {
    pub(super) name: String,
    /// `None` once it has ended. Its account stays until its sessions are closed.
    pub(super) running: Option<Running>,
    pub(super) component: Option<Capability<dyn Component>>,
    /// The object by which it calls us.
    pub(super) parent: Option<Capability<dyn Parent>>,
    pub(super) services: BTreeMap<String, Capability<dyn Root>>,
    /// What it said itself of how it ends.
    pub(super) exit: Option<Exit>,
    pub(super) memory: Memory,
    /// Wishes that wait.
    pub(super) wishes: Vec<(Quota, Done)>,
    /// Heartbeats that were asked for since the last answer.
    pub(super) missed: u32,
}

pub(super) struct Sess {
    pub(super) hop: Hop,
    pub(super) client: Client,
    pub(super) server: Server,
    /// As it goes on to the server: the label with the client's name in front, the quota without what this hop keeps.
    pub(super) request: Request,
    /// What the server has for it now.
    pub(super) with_server: Quota,
    /// All that the client has given for it and not got back.
    pub(super) donated: Quota,
    /// What was added last and the server has not answered for yet.
    pub(super) upgrade: Quota,
    pub(super) session: Option<Capability<dyn Session>>,
    pub(super) opening: Option<Opened>,
    pub(super) upgrading: Option<Done>,
    /// Who waits until all is back.
    pub(super) closing: Vec<Done>,
    /// Why there is no session, for who waits for it.
    pub(super) refused: Option<Error>,
}

impl State {
    pub(super) fn new(own: Quota) -> State {
        State {
            bank: Bank::new(own),
            children: BTreeMap::new(),
            sessions: BTreeMap::new(),
            by_client: BTreeMap::new(),
            errands: BTreeMap::new(),
            put_off: VecDeque::new(),
            awaited: BTreeMap::new(),
            last: 0,
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The number of the next child of that name.
    pub(super) fn awaited(&mut self, name: &str) -> u64 {
        match self.awaited.get(name) {
            Some(child) => *child,
            None => {
                let child = self.number();
                self.awaited.insert(name.into(), child);
                child
            }
        }
    }

    /// What a child is called, one that is not there yet too.
    pub(super) fn name_of(&self, child: u64) -> Option<String> {
        let awaited =
            || self.awaited.iter().find(|(_, number)| **number == child).map(|(name, _)| name.clone());
        self.children.get(&child).map(|record| record.name.clone()).or_else(awaited)
    }

    /// The sessions that a child serves, or is to serve.
    pub(super) fn served_by(&self, child: u64) -> Vec<u64> {
        let served = self.sessions.iter().filter(|(_, sess)| sess.server == Server::Child(child));
        served.map(|(session, _)| *session).collect()
    }

    /// The child of that name that runs.
    pub(super) fn child_named(&self, name: &str) -> Option<u64> {
        let mut running = self.children.iter().filter(|(_, child)| child.running.is_some());
        running.find(|(_, child)| child.name == name).map(|(number, _)| *number)
    }

    /// The root of the service at the server, if it has announced it.
    pub(super) fn root(&self, server: Server, service: &str) -> Option<Capability<dyn Root>> {
        match server {
            Server::Child(child) => self.children.get(&child)?.services.get(service).cloned(),
            Server::Above { .. } => None,
        }
    }

    /// The account of whoever serves a session; the parent's own parent has none here.
    pub(super) fn account(server: Server) -> Option<Account> {
        match server {
            Server::Child(child) => Some(Account::Child(child)),
            Server::Above { .. } => None,
        }
    }

    /// Of a child that has ended: what it has is the parent's, and what comes back to it. Its account ends when nothing does any more,
    /// which is for its servers to say: they keep what was donated to them until then, and nothing else.
    pub(super) fn bury(&mut self, child: u64) {
        let is_over = self.children.get(&child).is_some_and(|child| child.running.is_none());
        if is_over {
            self.bank.retire(Account::Child(child), Account::Own);
        }
        let first = Client::Child { child, number: 0 };
        let last = Client::Child { child, number: u64::MAX };
        if is_over && self.by_client.range(first..=last).next().is_none() {
            self.children.remove(&child);
            self.bank.close(Account::Child(child), Account::Own);
        }
    }
}
