//! The way from a component to its parent.

use crate::error::Error;
use crate::protocol::{Parent, Request, Session};
use crate::quota::Quota;
use portcullis_rpc::{Capability, Client, Deadline};
use portcullis_shm::RamQuota;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often a request for a session is made again with more quota before its failure is the caller's.
const ATTEMPTS: usize = 8;

/// A component's parent, for all who ask it for something. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Uplink(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    parent: Client<dyn Parent>,
    last_number: AtomicU64,
}

impl Uplink {
    pub(crate) fn new(parent: &Capability<dyn Parent>) -> Uplink {
        Uplink(Arc::new(Shared { parent: parent.client(), last_number: AtomicU64::new(0) }))
    }

    /// The parent, with the component's default deadline.
    pub(crate) fn parent(&self) -> Client<dyn Parent> {
        self.0.parent.clone()
    }

    /// A number for a session that no other one had.
    pub(crate) fn number(&self) -> u64 {
        self.0.last_number.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Asks for a session until it is there or denied: donates more if the server wants more, and asks the parent for more
    /// if the own budget has not as much. Blocks until the deadline, for each time that it asks.
    pub(crate) fn open(
        &self,
        mut request: Request,
        deadline: Deadline,
    ) -> Result<(u64, Capability<dyn Session>), Error> {
        for _ in 1..ATTEMPTS {
            match self.attempt(&mut request, deadline) {
                Err(Error::InsufficientRamQuota { missing }) => {
                    request.quota = more(request.quota, ram(missing))?;
                }
                Err(Error::InsufficientCapQuota { missing }) => {
                    request.quota = more(request.quota, Quota { caps: missing, ..Quota::NONE })?;
                }
                Err(Error::OutOfRam { missing }) => self.ask(ram(missing), deadline)?,
                Err(Error::OutOfCaps { missing }) => {
                    self.ask(Quota { caps: missing, ..Quota::NONE }, deadline)?;
                }
                answer => return answer,
            }
        }
        self.attempt(&mut request, deadline)
    }

    fn attempt(
        &self,
        request: &mut Request,
        deadline: Deadline,
    ) -> Result<(u64, Capability<dyn Session>), Error> {
        request.number = self.number();
        let mut parent = self.parent().with_deadline(deadline);
        match parent.session(request.clone()).get() {
            Ok(session) => Ok((request.number, session)),
            Err(error) => {
                // No answer says nothing of the session: it is not wanted any more, whatever has become of it.
                if let Error::Rpc(_) = error {
                    self.close(request.number);
                }
                Err(error)
            }
        }
    }

    /// Asks the parent for quota, and says what is missing if it grants none.
    fn ask(&self, missing: Quota, deadline: Deadline) -> Result<(), Error> {
        match self.parent().with_deadline(deadline).ask(missing).get() {
            Err(Error::NotGranted) => Err(Error::out_of(missing)),
            answer => answer,
        }
    }

    /// Adds to a session's donation; asks the parent for more if the own budget has not as much.
    pub(crate) fn upgrade(&self, number: u64, quota: Quota, deadline: Deadline) -> Result<(), Error> {
        for _ in 1..ATTEMPTS {
            match self.parent().with_deadline(deadline).upgrade(number, quota).get() {
                Err(Error::OutOfRam { missing }) => self.ask(ram(missing), deadline)?,
                Err(Error::OutOfCaps { missing }) => {
                    self.ask(Quota { caps: missing, ..Quota::NONE }, deadline)?;
                }
                answer => return answer,
            }
        }
        self.parent().with_deadline(deadline).upgrade(number, quota).get()
    }

    /// Has a session closed, and does not wait for that. If the parent is gone, so is the session.
    pub(crate) fn close(&self, number: u64) {
        let _ = self.parent().close(number, false).get();
    }

    /// Closes a session, and waits until what was donated is back.
    pub(crate) fn close_and_wait(&self, number: u64, deadline: Deadline) -> Result<(), Error> {
        self.parent().with_deadline(deadline).close(number, true).get()
    }
}

fn ram(ram: RamQuota) -> Quota {
    Quota { ram, ..Quota::NONE }
}

fn more(quota: Quota, missing: Quota) -> Result<Quota, Error> {
    // A server that wants more than there are numbers is refused like any that wants too much.
    quota.checked_add(missing).ok_or_else(|| Error::out_of(missing))
}
