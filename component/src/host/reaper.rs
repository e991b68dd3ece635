//! The thread that sees a parent's child processes end.

use super::once::{Given, Giver, once};
use portcullis_ipc::Error;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::{Errno, read, write};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sees processes end, by a descriptor for each, which cannot mean another process. One thread for all, started with the first.
#[derive(Debug, Default)]
pub(crate) struct Reaper(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    /// Rings when there is more to watch, or nothing any more.
    bell: OwnedFd,
    watched: Mutex<Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    processes: Vec<(Arc<OwnedFd>, Giver<()>)>,
    is_over: bool,
}

impl Shared {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        // A counter that is full has rung.
        let _ = write(&self.bell, &1_u64.to_ne_bytes());
    }
}

impl Reaper {
    /// Answers when the process has ended. It must be a child that was not waited for yet, so that its number is its own.
    pub(crate) fn watch(&mut self, process: u32) -> Result<Given<()>, Error> {
        let failed = |call| move |reason| Error::System { call, reason };
        let pid = process.try_into().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(Errno::SRCH).map_err(failed("pidfd_open"))?;
        let process = pidfd_open(pid, PidfdFlags::NONBLOCK).map_err(failed("pidfd_open"))?;
        let shared = match &self.0 {
            Some(shared) => shared.clone(),
            None => self.0.insert(start().map_err(failed("eventfd"))?).clone(),
        };
        let (ended, given) = once();
        shared.watched().processes.push((Arc::new(process), ended));
        shared.ring();
        Ok(given)
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.watched().is_over = true;
            shared.ring();
        }
    }
}

fn start() -> Result<Arc<Shared>, Errno> {
    let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let shared = Arc::new(Shared { bell, watched: Mutex::default() });
    let of_thread = shared.clone();
    std::thread::spawn(move || watch(&of_thread));
    Ok(shared)
}

fn watch(shared: &Shared) {
    loop {
        let processes: Vec<Arc<OwnedFd>> = {
            let watched = shared.watched();
            if watched.is_over {
                return;
            }
            watched.processes.iter().map(|(process, _)| process.clone()).collect()
        };
        let mut descriptors = vec![PollFd::new(&shared.bell, PollFlags::IN)];
        descriptors.extend(processes.iter().map(|process| PollFd::new(&**process, PollFlags::IN)));
        // What interrupts it changes nothing.
        let _ = poll(&mut descriptors, None);
        let _ = read(&shared.bell, &mut [0_u8; 8]);
        let over = descriptors[1..].iter().zip(&processes).filter(|(polled, _)| !polled.revents().is_empty());
        let over: Vec<_> = over.map(|(_, process)| process.clone()).collect();
        let gone: Vec<Giver<()>> = {
            let mut watched = shared.watched();
            let is_over = |process: &Arc<OwnedFd>| over.iter().any(|over| Arc::ptr_eq(over, process));
            watched
                .processes
                .extract_if(.., |(process, _)| is_over(process))
                .map(|(_, giver)| giver)
                .collect()
        };
        // Outside of the lock: it wakes tasks.
        gone.into_iter().for_each(|giver| giver.give(()));
    }
}
