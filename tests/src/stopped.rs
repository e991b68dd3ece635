//! A process that is stopped for a while.

use portcullis_ipc::Error;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// A child of ours that is stopped; it goes on when this is dropped.
#[derive(Debug)]
pub struct Stopped(Pid);

impl Stopped {
    /// Stops a child (SIGSTOP) and waits until it has stopped.
    ///
    /// # Errors
    /// [`Error::System`] if there is no such child.
    pub fn stop(child: u32) -> Result<Stopped, Error> {
        let failed = |call| move |reason| Error::System { call, reason };
        let raw = child.try_into().unwrap_or(0);
        let pid = Pid::from_raw(raw).ok_or(rustix::io::Errno::SRCH).map_err(failed("kill"))?;
        kill_process(pid, Signal::STOP).map_err(failed("kill"))?;
        let stopped = Stopped(pid);
        waitpid(Some(pid), WaitOptions::UNTRACED).map_err(failed("wait4"))?;
        Ok(stopped)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // If it was killed meanwhile, it is gone, which is as good.
        let _ = kill_process(self.0, Signal::CONT);
    }
}
