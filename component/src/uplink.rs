//! The way from a component to its parent.

use crate::error::Error;
use crate::protocol::{Parent, Request, Session};
use crate::quota::Quota;
use portcullis_rpc::{Capability, Client, Deadline};
use portcullis_shm::{RamAccount, RamQuota};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a request for a session is made again with more quota before its failure is the caller's.
const ATTEMPTS: usize = 8;

/// How long a parent may take to decide on what it is asked for: somebody else may have to give it first.
pub(crate) const PATIENCE: Deadline = Deadline::After(Duration::from_secs(30));

/// A component's parent, for all who ask it for something. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Uplink(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    parent: Client<dyn Parent>,
    last_number: AtomicU64,
    /// What the parent has set aside for memory of this component's own.
    aside: RamAccount,
    /// What lies in this component's account and is its clients': donated for sessions that are open here, in bytes.
    entrusted: AtomicU64,
}

impl Uplink {
    pub(crate) fn new(parent: &Capability<dyn Parent>) -> Uplink {
        let aside = RamAccount::new(RamQuota::default());
        Uplink(Arc::new(Shared {
            parent: parent.client(),
            last_number: AtomicU64::new(0),
            aside,
            entrusted: AtomicU64::new(0),
        }))
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

    /// Asks the parent for quota, and says what is missing if it grants none. What lies idle here goes back first: that may be
    /// enough.
    fn ask(&self, missing: Quota, deadline: Deadline) -> Result<(), Error> {
        if self.return_idle()? > RamQuota::default() {
            return Ok(());
        }
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

    /// The account of memory of this component's own.
    pub(crate) fn aside(&self) -> &RamAccount {
        &self.0.aside
    }

    /// Clients have donated so much for a session here, until it is [returned](Self::returns).
    pub(crate) fn is_entrusted(&self, quota: Quota) {
        self.0.entrusted.fetch_add(quota.ram.in_bytes(), Ordering::Relaxed);
    }

    /// A session is over.
    pub(crate) fn returns(&self, quota: Quota) {
        self.0.entrusted.fetch_sub(quota.ram.in_bytes(), Ordering::Relaxed);
    }

    /// Has the parent set so much aside, and nothing of what is the clients'.
    fn try_to_set_aside(&self, amount: RamQuota) -> Result<(), Error> {
        self.parent().set_aside(ram(amount))?;
        let left = self.parent().budget()?.ram;
        let entrusted = RamQuota::bytes(self.0.entrusted.load(Ordering::Relaxed));
        if left >= entrusted {
            return Ok(());
        }
        self.parent().release(ram(amount))?;
        Err(Error::OutOfRam { missing: RamQuota::bytes(entrusted.in_bytes() - left.in_bytes()) })
    }

    /// Has the parent set so much more aside; asks it for more if the budget has not as much.
    pub(crate) fn set_aside(&self, amount: RamQuota) -> Result<(), Error> {
        for _ in 1..ATTEMPTS {
            match self.try_to_set_aside(amount) {
                Err(Error::OutOfRam { missing }) => self.ask(ram(missing), PATIENCE)?,
                answer => {
                    answer?;
                    return Ok(RamAccount::new(amount).transfer(self.aside(), amount)?);
                }
            }
        }
        Err(Error::OutOfRam { missing: amount })
    }

    /// What was set aside and is not used goes back to the budget. Answers how much that is.
    pub(crate) fn return_idle(&self) -> Result<RamQuota, Error> {
        let (idle, out) = (self.aside().available(), RamAccount::new(RamQuota::default()));
        // Of what another thread has used meanwhile nothing goes back now.
        if idle == RamQuota::default() || self.aside().transfer(&out, idle).is_err() {
            return Ok(RamQuota::default());
        }
        match self.parent().release(ram(idle)) {
            Ok(()) => Ok(idle),
            Err(error) => {
                out.transfer(self.aside(), idle)?;
                Err(error)
            }
        }
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
