//! A component's process, as its parent has it.

use super::error::Error;
use super::group::Group;
use super::layer::Layer;
use super::process::Process;
use super::support::Lack;
use rustix::process::{Pid, Signal, kill_process};
use std::process::ExitStatus;

/// A component's process. Dropping it kills and reaps the process.
///
/// ```
/// use portcullis_component::sandbox::{Mode, Program, Sandbox};
/// use portcullis_ipc::Pd;
///
/// let sandbox = Sandbox { mode: Mode::Off, ..Sandbox::default() };
/// let (mut child, _) = sandbox.start(&Pd::new()?, &Program::new("/bin/true"))?;
/// assert!(child.wait()?.success());
/// assert_eq!(child.try_wait()?, Some(child.kill()?), "it is known how it ended");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Child {
    kind: Kind,
    left_out: Vec<Lack>,
    /// Dropped behind the process that is in it.
    group: Option<Group>,
}

#[derive(Debug)]
enum Kind {
    Free(portcullis_ipc::Child),
    Confined(Process),
}

impl Child {
    pub(crate) fn free(child: portcullis_ipc::Child) -> Child {
        Child { kind: Kind::Free(child), left_out: Vec::new(), group: None }
    }

    pub(crate) fn confined(process: Process, left_out: Vec<Lack>, group: Option<Group>) -> Child {
        Child { kind: Kind::Confined(process), left_out, group }
    }

    /// Its process id as we see it: good for messages; to act on it use the methods here.
    #[must_use]
    pub fn id(&self) -> u32 {
        match &self.kind {
            Kind::Free(child) => child.id(),
            Kind::Confined(process) => process.pid().as_raw_nonzero().get().cast_unsigned(),
        }
    }

    /// The layers that this process does without, since the kernel lacks them: in a strict sandbox only such as are not
    /// [needed](super::Layer::needed). A memory group is among them only if one was asked for. Without a sandbox nothing was
    /// left out.
    #[must_use]
    pub fn left_out(&self) -> &[Lack] {
        &self.left_out
    }

    /// Whether it is confined, and by filters for system calls too.
    pub(crate) fn is_filtered(&self) -> bool {
        let lacks_filters = self.left_out.iter().any(|lack| lack.layer == Layer::Seccomp);
        matches!(self.kind, Kind::Confined(_)) && !lacks_filters
    }

    /// Sets the limit of its memory group, in bytes. Answers which one it has then; `None` if it has no group. One below what it uses
    /// becomes a little more than that, or stays as it is, so that nobody is killed for what he was allowed before.
    ///
    /// # Errors
    /// [`Error::System`] if the system refuses that.
    pub fn limit_memory(&self, limit: u64) -> Result<Option<u64>, Error> {
        let limited = self.group.as_ref().map(|group| group.set(limit)).transpose();
        limited.map_err(Error::io("write to a memory group"))
    }

    /// Kills it (SIGKILL), and does not wait.
    pub fn end(&mut self) {
        let number = self.id().try_into().ok().and_then(Pid::from_raw);
        // As long as it has not been waited for the number is its own.
        if let (Ok(None), Some(process)) = (self.try_wait(), number) {
            let _ = kill_process(process, Signal::KILL);
        }
    }

    /// Kills it (SIGKILL) and waits until it is gone, with all of its threads.
    ///
    /// # Errors
    /// [`Error::System`] if it cannot be killed or waited for.
    pub fn kill(&mut self) -> Result<ExitStatus, Error> {
        match &mut self.kind {
            Kind::Free(child) => Ok(child.kill()?),
            Kind::Confined(process) => process.kill(),
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// [`Error::System`] if it cannot be waited for.
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        match &mut self.kind {
            Kind::Free(child) => Ok(child.wait()?),
            Kind::Confined(process) => process.wait(),
        }
    }

    /// How it ended, if it has; does not wait.
    ///
    /// # Errors
    /// [`Error::System`] if it cannot be asked.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        match &mut self.kind {
            Kind::Free(child) => Ok(child.try_wait()?),
            Kind::Confined(process) => process.try_wait(),
        }
    }
}
