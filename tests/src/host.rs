//! Where a peer runs.

use crate::remote::Remote;
use crate::service::{Op, Service};
use portcullis_ipc::{Child, Deadline, Error, Limits, Pd, PdOptions, Server, WaitPolicy};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A running peer; dropping it ends the peer.
#[derive(Debug)]
pub struct Host {
    /// Its first object.
    pub root: Remote,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Process(Child),
    Thread(Option<JoinHandle<Result<(), Error>>>),
}

/// A protection domain for tests: patient enough for a machine under load.
///
/// # Errors
/// As `Pd::with`.
pub fn patient(wait: WaitPolicy) -> Result<Pd, Error> {
    let deadline = Deadline::After(Duration::from_secs(30));
    Pd::with(PdOptions { deadline, wait, ..PdOptions::default() })
}

impl Host {
    /// Starts a peer as a process: `program` is the binary `peer` of this package. Its clients may hold as many rows
    /// as the limits say.
    ///
    /// # Errors
    /// As `Pd::spawn`.
    pub fn process(program: impl AsRef<Path>, limits: Limits) -> Result<Host, Error> {
        Host::process_of(&patient(WaitPolicy::Adaptive)?, program, limits)
    }

    /// As [`process`](Host::process), in an existing domain.
    ///
    /// # Errors
    /// As `Pd::spawn`.
    pub fn process_of(pd: &Pd, program: impl AsRef<Path>, limits: Limits) -> Result<Host, Error> {
        let mut command = Command::new(program.as_ref());
        command.arg(limits.rows.to_string());
        Host::command_of(pd, command)
    }

    /// Starts a peer by that command, in an existing domain.
    ///
    /// # Errors
    /// As `Pd::spawn`.
    pub fn command_of(pd: &Pd, command: Command) -> Result<Host, Error> {
        let (child, root) = pd.spawn(command)?;
        Ok(Host { root: Remote(root), place: Place::Process(child) })
    }

    /// Starts a peer as a process that never sleeps, on the last core; its client should be on another one.
    ///
    /// # Errors
    /// As `Pd::spawn`.
    pub fn sleepless(program: impl AsRef<Path>) -> Result<Host, Error> {
        let mut command = Command::new(program.as_ref());
        command.args([&Limits::default().rows.to_string(), "spin"]);
        let (child, root) = patient(WaitPolicy::Adaptive)?.spawn(command)?;
        Ok(Host { root: Remote(root), place: Place::Process(child) })
    }

    /// Starts a peer on a thread of this process.
    ///
    /// # Errors
    /// As `Server::new`.
    ///
    /// # Panics
    /// If the thread ends before it serves.
    pub fn thread(limits: Limits) -> Result<Host, Error> {
        let (to_us, from_thread) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut server = Server::with(&patient(WaitPolicy::Adaptive)?, limits)?;
            let (_, root) = server.mint()?;
            // Nobody there any more: then the service below ends as well.
            let _ = to_us.send(root);
            Service::new(server).run()
        });
        match from_thread.recv() {
            Ok(root) => Ok(Host { root: Remote(root), place: Place::Thread(Some(thread)) }),
            Err(_) => Err(thread.join().expect("the thread does not panic").expect_err("it did not serve")),
        }
    }

    /// The process that it runs in, if that is one of its own.
    pub fn child(&mut self) -> Option<&mut Child> {
        match &mut self.place {
            Place::Process(child) => Some(child),
            Place::Thread(_) => None,
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Place::Thread(thread) = &mut self.place {
            // If it has ended already, so much the better.
            let _ = self.root.ask(Op::Stop, &[], &[]);
            if let Some(Err(panic)) = thread.take().map(JoinHandle::join)
                && !std::thread::panicking()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
