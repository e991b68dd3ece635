//! A process of ours, by its descriptor: its number may be another's once it is reaped.

use super::error::Error;
use super::nurse::Nurse;
use super::sys::clone::Born;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Killed and reaped when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    born: Born,
    status: Option<ExitStatus>,
    /// Dropped behind the process, which would end with it.
    _nurse: Nurse,
}

impl Process {
    pub(crate) fn new(born: Born, nurse: Nurse) -> Process {
        Process { born, status: None, _nurse: nurse }
    }

    pub(crate) fn pid(&self) -> Pid {
        self.born.pid
    }

    pub(crate) fn kill(&mut self) -> Result<ExitStatus, Error> {
        if self.status.is_none() {
            match rustix::process::pidfd_send_signal(&self.born.pidfd, Signal::KILL) {
                // It has ended by itself.
                Ok(()) | Err(Errno::SRCH) => {}
                Err(reason) => return Err(Error::system("pidfd_send_signal")(reason)),
            }
        }
        self.wait()
    }

    pub(crate) fn wait(&mut self) -> Result<ExitStatus, Error> {
        loop {
            if let Some(status) = self.ended(WaitIdOptions::EXITED)? {
                return Ok(status);
            }
        }
    }

    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.ended(WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
    }

    fn ended(&mut self, options: WaitIdOptions) -> Result<Option<ExitStatus>, Error> {
        if self.status.is_none() {
            let process = WaitId::PidFd(self.born.pidfd.as_fd());
            let ended = rustix::io::retry_on_intr(|| rustix::process::waitid(process.clone(), options));
            self.status = ended.map_err(Error::system("waitid"))?.map(|status| exit_status(&status));
        }
        Ok(self.status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.kill();
    }
}

/// In the form of the standard library, which is that of `wait4`.
fn exit_status(status: &WaitIdStatus) -> ExitStatus {
    const DUMPED: i32 = 0x80;
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ExitStatus::from_raw((code & 0xff) << 8),
        (None, Some(signal)) => ExitStatus::from_raw(signal | if status.dumped() { DUMPED } else { 0 }),
        (None, None) => ExitStatus::from_raw(0),
    }
}
