//! Children whose processes somebody else starts, for a parent that is confined itself.

use super::Host;
use super::parent_object::ParentObject;
use super::spec::{Running, Spawned};
use crate::bank::Account;
use crate::connection::{Connecting, Connection};
use crate::error::Error;
use crate::quota::Quota;
use crate::sandbox::{Bounds, Mode, Program};
use crate::spawn::{Confinement, DONATION, MAX_PART, Spawn};
use portcullis_entrypoint::{Entrypoint, SignalLevel};
use portcullis_rpc::{Deadline, SignalCapability};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// How long it may take whoever starts processes, for each that he is asked.
const PATIENCE: Deadline = Deadline::After(Duration::from_secs(30));

impl Host {
    pub(super) fn start_spawned(
        &self,
        entrypoint: &Entrypoint,
        child: u64,
        quota: Quota,
        mode: Mode,
        program: &Program,
    ) -> Result<(), Error> {
        // What the session takes is missing here until it is closed.
        let paid = self.0.state.borrow_mut().bank.withdraw(Account::Own, DONATION);
        paid.map_err(Error::out_of)?;
        let confinement = confinement(quota, mode);
        let begun = self.session_of(program).and_then(|mut session| {
            session.sigh(self.end_of(entrypoint, child)?)?;
            let (process, first) = session.start(confinement)?;
            Ok((Spawned { process, session, mode }, first))
        });
        let (spawned, first) = begun.inspect_err(|_| {
            self.0.state.borrow_mut().bank.deposit(Account::Own, DONATION);
        })?;
        self.runs(child, Running::Spawned(spawned));
        self.begins(entrypoint, child, first);
        Ok(())
    }

    /// What is signalled when a child's process has ended: no call waits for that, so that there may be any number of them.
    fn end_of(&self, entrypoint: &Entrypoint, child: u64) -> Result<SignalCapability, Error> {
        let parent = self.0.state.borrow().children.get(&child).and_then(|record| record.parent.clone());
        let parent = parent.ok_or(Error::Closed)?;
        let ended = |parent: &mut ParentObject, _: &Entrypoint| parent.process_has_ended();
        Ok(entrypoint.handle_signal(&parent, SignalLevel::Application, ended)?)
    }

    /// The process of a child may have ended.
    pub(super) fn look_for_end(&self, child: u64) {
        let session = {
            let state = self.0.state.borrow();
            match state.children.get(&child).and_then(|record| record.running.as_ref()) {
                Some(Running::Spawned(spawned)) => spawned.session.clone(),
                _ => return,
            }
        };
        // If whoever could say it is gone, so is the process.
        match session.with_deadline(PATIENCE).ended() {
            Ok(None) => {}
            Ok(exit) => self.has_ended(child, exit),
            Err(_) => self.has_ended(child, None),
        }
    }

    /// Whether a program could be started so, as far as that can be known before; starts nothing.
    ///
    /// # Errors
    /// [`Error::ServiceDenied`] if nobody starts processes for this parent, [`Error::NotStarted`] if it could not be
    /// started.
    pub fn check_spawned(&self, quota: Quota, mode: Mode, program: &Program) -> Result<(), Error> {
        let mut session = self.session_of(program)?;
        session.check(confinement(quota, mode))?;
        Connection::close(session)
    }

    /// A session that knows what is to be started.
    fn session_of(&self, program: &Program) -> Result<Connection<dyn Spawn>, Error> {
        let uplink =
            self.0.uplink.clone().ok_or_else(|| Error::denied("spawn", "this parent has no parent"))?;
        let name = program.path().file_name().map(|name| name.to_string_lossy().into_owned());
        let label = name.filter(|name| crate::Label::of(name).is_ok()).unwrap_or_default();
        let connecting = Connecting { uplink, label, quota: None, deadline: PATIENCE };
        let mut session = connecting.open::<dyn Spawn>(&())?;
        for argument in program.arguments() {
            let mut parts = argument.as_bytes().chunks(MAX_PART).peekable();
            while let Some(part) = parts.next() {
                session.argument(part, parts.peek().is_none())?;
            }
            if argument.is_empty() {
                session.argument(&[], true)?;
            }
        }
        Ok(session)
    }
}

fn confinement(quota: Quota, mode: Mode) -> Confinement {
    Confinement { mode, memory: quota.ram.in_bytes(), descriptors: Bounds::descriptors_for(quota.caps) }
}
