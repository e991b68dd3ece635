//! The component processes of a demo.

use super::descriptors::{SPARE, too_low_a_limit};
use crate::failure::Failure;
use portcullis_examples::Failure as CallFailure;
use portcullis_ipc::{Child, Pd};
use portcullis_rpc::{Capability, Error};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a component takes to end at most when it has been let go of, on a machine with much else to do.
const FINISH: Duration = Duration::from_secs(5);

/// A component that runs as a process of its own, and ends with this value.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Starts a component, by running this very program, and answers with the capability to its first object, which
    /// has the interface `I`.
    pub(crate) fn start<I: ?Sized>(
        pd: &Pd,
        name: &'static str,
        component: &str,
        input: Stdio,
    ) -> Result<(Process, Capability<I>), Failure> {
        let mut command = Command::new(std::env::current_exe().map_err(Failure::OwnProgram)?);
        command.args(["component", component]).stdin(input).stdout(Stdio::null());
        let (child, first_object) = pd.spawn(command).map_err(|error| Failure::Start { name, error })?;
        Ok((Process { name, child }, Capability::from_untyped(first_object)))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself, for a limited time.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let end = wait_for(FINISH, || self.ended()).ok_or_else(|| self.silent())?;
        if end.success() { Ok(()) } else { Err(failure(&self, end)) }
    }

    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(mut self) -> Result<(), Failure> {
        let name = self.name;
        self.child.kill().map(drop).map_err(|error| Failure::Kill { name, error })
    }

    /// What is to be said of it if it has ended.
    pub(crate) fn died(&mut self) -> Option<Failure> {
        self.ended().map(|status| failure(self, status))
    }

    /// It did not answer in time.
    pub(crate) fn silent(&self) -> Failure {
        let (name, id) = (self.name, self.child.id());
        match too_low_a_limit(id) {
            Some(limit) => Failure::Descriptors { name, id, limit, spare: SPARE },
            None => Failure::Silent { name, id },
        }
    }

    /// If it has ended: how. `None` as well if the system cannot say.
    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

/// What a failed call comes from: who was called, the first, is silent, or one of the processes died, or what it says.
pub(crate) fn explain<const N: usize>(failure: &CallFailure, mut processes: [&mut Process; N]) -> Failure {
    match (failure, &mut processes[..]) {
        (CallFailure::Call(Error::DeadlineExceeded), [called, ..]) => called.silent(),
        _ => blame(processes).unwrap_or_else(|| worded(failure)),
    }
}

/// Which process is to blame for a broken connection; `None` if all live on.
pub(crate) fn blame<const N: usize>(mut processes: [&mut Process; N]) -> Option<Failure> {
    // The descriptors of a process that dies are closed before its parent can learn how it ended.
    const LAG: Duration = Duration::from_millis(500);
    wait_for(LAG, || processes.iter_mut().find_map(|process| process.died()))
}

/// Asks every millisecond until there is an answer, for a limited time.
pub(crate) fn wait_for<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn failure(process: &Process, status: ExitStatus) -> Failure {
    use std::os::unix::process::ExitStatusExt;
    const SIGINT: u8 = 2;
    match status.signal() {
        // A terminal interrupts all processes in its foreground, us in a moment.
        Some(signal) if signal == i32::from(SIGINT) => Failure::Interrupted(SIGINT),
        _ => Failure::Died { name: process.name, id: process.child.id(), status },
    }
}

/// A failure that a component may have worded.
pub(crate) fn worded(failure: &dyn std::error::Error) -> Failure {
    Failure::Demo(said(failure))
}

/// What a failure says.
pub(crate) fn said(failure: &dyn std::error::Error) -> String {
    visible(failure.to_string().chars())
}

/// What a component says, for a terminal: control characters become visible ones.
pub(crate) fn visible(said: impl Iterator<Item = char>) -> String {
    said.map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_examples::TaskFailure;

    #[test]
    fn what_a_component_says_does_nothing_to_the_terminal() {
        let says = TaskFailure::Own("\x1b[2Jgone\r\n".into());
        assert_eq!(
            worded(&says).to_string(),
            "the component that reads the input failed: \u{fffd}[2Jgone\u{fffd}\u{fffd}; run the command again"
        );
    }
}
