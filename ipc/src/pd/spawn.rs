//! Starting a child process with one descriptor: a portal.

use crate::capability::Capability;
use crate::error::Error;
use crate::pd::Pd;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::sys::{inherit, socket};
use command_fds::{CommandFdExt, FdMapping};
use std::os::fd::{OwnedFd, RawFd};
use std::process::{Command, ExitStatus};

/// A process that was started by [`Pd::spawn`]. Dropping it kills and reaps the process.
///
/// ```no_run
/// # fn main() -> Result<(), portcullis_ipc::Error> {
/// use portcullis_ipc::{MsgBuf, Pd};
/// use std::process::Command;
///
/// let (child, first_object) = Pd::new()?.spawn(Command::new("counter"))?;
/// first_object.call(&MsgBuf::new(), &mut MsgBuf::new())?;
/// println!("process {}", child.id());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Child(std::process::Child);

impl Child {
    /// Its process id: good for messages; to act on it use the methods here, which know whether it was reaped.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// [`Error::System`] if it cannot be killed or waited for.
    pub fn kill(&mut self) -> Result<ExitStatus, Error> {
        self.0.kill().map_err(failed("kill"))?;
        self.wait()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// [`Error::System`] if it cannot be waited for.
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        self.0.wait().map_err(failed("wait4"))
    }

    /// How it ended, if it has; does not wait.
    ///
    /// # Errors
    /// [`Error::System`] if it cannot be asked.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.0.try_wait().map_err(failed("wait4"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.kill();
    }
}

impl Pd {
    /// Starts a process whose only link to us is a portal, and answers with the capability to its first object: what
    /// the process gives to [`Server::serve_parent`](crate::Server::serve_parent). The capability can be called at
    /// once; the call waits until the process serves.
    ///
    /// Apart from the portal, which is descriptor 3, the process has what `command` says: set its standard streams,
    /// environment and arguments there.
    ///
    /// # Errors
    /// [`Error::System`] if the process cannot be started or the system refuses descriptors or memory.
    pub fn spawn(&self, mut command: Command) -> Result<(Child, Capability), Error> {
        let (first, portal) = self.portal()?;
        let portal = FdMapping { parent_fd: portal, child_fd: Pd::PORTAL };
        // One mapping cannot collide with another.
        command.fd_mappings(vec![portal]).map_err(|_| Error::NotSpawned)?;
        let child = Child(command.spawn().map_err(failed("execve"))?);
        // The command holds our copy of the child's end, which would hide the child's death from us.
        drop(command);
        Ok((child, first))
    }

    /// The number of the descriptor at which a process finds the portal that it was born with.
    pub const PORTAL: RawFd = inherit::PORTAL;

    /// A portal for a process that is started by other means than [`spawn`](Self::spawn): the capability to its first object,
    /// and the socket that is to be its descriptor [`PORTAL`](Self::PORTAL).
    ///
    /// Close the socket here once the process has it: a copy hides the death of the process from the capability.
    ///
    /// ```
    /// let (first_object, socket) = portcullis_ipc::Pd::new()?.portal()?;
    /// drop(socket);
    /// let mut answer = portcullis_ipc::MsgBuf::new();
    /// let nobody = first_object.call(&portcullis_ipc::MsgBuf::new(), &mut answer);
    /// assert_eq!(nobody, Err(portcullis_ipc::Error::Disconnected));
    /// # Ok::<_, portcullis_ipc::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::System`] if the system refuses descriptors or memory.
    pub fn portal(&self) -> Result<(Capability, OwnedFd), Error> {
        // The sockets of the channel itself: nobody else has had them.
        let (ours, theirs) = socket::pair()?;
        Ok((Capability::from_portal(self, PeerDescriptor::new(self, ours), None), theirs))
    }
}

fn failed(call: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::System {
        call,
        reason: rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::INVAL),
    }
}
