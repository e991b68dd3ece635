//! How a protection domain waits and wakes.

use crate::allowance::Allowance;
use crate::deadline::Deadline;
use crate::wait_policy::WaitPolicy;
use std::time::Duration;

/// How a protection domain waits and wakes.
///
/// ```
/// use portcullis_ipc::{Deadline, Doorbell, PdOptions, WaitPolicy};
/// use std::time::Duration;
///
/// let options = PdOptions::default();
/// assert_eq!(options.deadline, Deadline::After(Duration::from_secs(5)));
/// assert_eq!((options.wait, options.doorbell), (WaitPolicy::Adaptive, Doorbell::Socket));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PdOptions {
    /// What a call may take when nothing else is said.
    pub deadline: Deadline,
    /// What its calls, and the servers in it, do while they wait.
    pub wait: WaitPolicy,
    /// How it wakes a sleeping entrypoint of another process.
    pub doorbell: Doorbell,
    /// What somebody to whom it hands on capabilities of others may spend at their entrypoints, out of its own accounts there.
    pub allowance: Allowance,
}

impl Default for PdOptions {
    fn default() -> Self {
        PdOptions {
            deadline: Deadline::After(Duration::from_secs(5)),
            wait: WaitPolicy::default(),
            doorbell: Doorbell::default(),
            allowance: Allowance::default(),
        }
    }
}

/// How a client wakes a sleeping entrypoint of another process.
///
/// ```
/// use portcullis_ipc::{Doorbell, Pd, PdOptions};
///
/// let pd = Pd::with(PdOptions { doorbell: Doorbell::Pipe, ..PdOptions::default() })?;
/// # Ok::<_, portcullis_ipc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doorbell {
    /// One byte over the channel's socket. Safe with any server.
    #[default]
    Socket,
    /// One byte into a pipe: cheaper by a tenth of a round trip on one core. A server that can arrange for its own
    /// page faults to stall (userfaultfd for kernel faults, FUSE) could hold the pipe's lock and so block a client
    /// who rings; choose it for servers that are trusted or confined.
    Pipe,
}
