//! The component processes of a demo.

use crate::failure::Failure;
use portcullis_ipc::{Child, Pd};
use portcullis_rpc::Capability;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

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

    /// It did not answer in time.
    pub(crate) fn silent(&self) -> Failure {
        Failure::Silent { name: self.name, id: self.child.id() }
    }

    /// If it has ended: how. `None` as well if the system cannot say.
    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

/// Which process is to blame for a broken connection; `None` if all live on.
pub(crate) fn blame<const N: usize>(mut processes: [&mut Process; N]) -> Option<Failure> {
    // The descriptors of a process that dies are closed before its parent can learn how it ended.
    const LAG: Duration = Duration::from_millis(500);
    let start = Instant::now();
    loop {
        for process in &mut processes {
            if let Some(status) = process.ended() {
                return Some(failure(process, status));
            }
        }
        if start.elapsed() > LAG {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn failure(process: &Process, status: ExitStatus) -> Failure {
    use std::os::unix::process::ExitStatusExt;
    const SIGINT: i32 = 2;
    match status.signal() {
        // A terminal interrupts all processes in its foreground, us in a moment.
        Some(SIGINT) => Failure::Interrupted,
        _ => Failure::Died { name: process.name, id: process.child.id(), status },
    }
}
