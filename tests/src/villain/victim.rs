//! An unmodified process whose portal's other end is in a villain's hands.

use super::socket;
use command_fds::{CommandFdExt, FdMapping};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A process that was started with a socket as descriptor 3. Dropping it kills it.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a process, and answers with the other end of its descriptor 3.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(command: Command) -> io::Result<(Process, OwnedFd)> {
        let (ours, theirs) = socket::pair()?;
        Ok((Process::start_with(command, theirs)?, ours))
    }

    /// Starts a process with that socket as its descriptor 3.
    ///
    /// # Errors
    /// What the system says.
    pub fn start_with(mut command: Command, socket: OwnedFd) -> io::Result<Process> {
        let mapping = FdMapping { parent_fd: socket, child_fd: 3 };
        command.fd_mappings(vec![mapping]).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Process(command.spawn()?))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it and waits until it is gone.
    ///
    /// # Errors
    /// What the system says.
    pub fn kill(&mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }

    /// Sends it a signal, such as one that stops it.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn signal(&self, signal: rustix::process::Signal) {
        // It is not reaped before this is dropped, so its number is its own.
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, signal).expect("it is ours");
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// How many descriptors it has open.
    ///
    /// # Panics
    /// If it is gone.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(self.proc("fd")).expect("a live process has descriptors").count()
    }

    /// How many descriptors its epoll sets watch.
    ///
    /// # Panics
    /// If it is gone.
    #[must_use]
    pub fn epoll_watches(&self) -> usize {
        let infos = std::fs::read_dir(self.proc("fdinfo")).expect("a live process has descriptors");
        let texts = infos.flatten().filter_map(|info| std::fs::read_to_string(info.path()).ok());
        texts.map(|text| text.lines().filter(|line| line.starts_with("tfd:")).count()).sum()
    }

    /// How many mappings of channel memory it has.
    ///
    /// # Panics
    /// If it is gone.
    #[must_use]
    pub fn channel_mappings(&self) -> usize {
        let maps = std::fs::read_to_string(self.proc("maps")).expect("a live process has mappings");
        maps.lines().filter(|line| line.contains("/memfd:")).count()
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.0.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.kill();
    }
}

/// Waits until the condition holds; `false` if it does not in time.
pub fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + super::client::PATIENCE;
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}
