//! The source component: streams its standard input to the receiver that it is handed.

use super::interface::{PIECE, Pieces, Receiver, Report, Source};
use crate::Failure;
use crate::task::{self, Progress, Task, TaskFailure};
use portcullis_entrypoint::{Entrypoint, Error};
use portcullis_ipc::Limits;
use portcullis_rpc::{Capability, Deadline, Later};
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

/// The parent alone.
const LIMITS: Limits = Limits { rows: 1, contexts: 0, channels: 4, portals: 2 };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    task::serve(LIMITS, manage, |origin: &mut Origin| origin.0.look())
}

fn manage(entrypoint: &Entrypoint) -> Capability<dyn Source> {
    entrypoint.manage(Origin(Task::new(entrypoint)))
}

struct Origin(Task<Report>);

impl Source for Origin {
    fn by_calls(&mut self, receiver: Capability<dyn Pieces>) -> Result<(), Failure> {
        self.0.begin(move || by_calls(&receiver))
    }

    fn wait(&mut self, time: Duration) -> Later<Result<Progress<Report>, Failure>> {
        self.0.wait(time)
    }
}

/// Streams in calls of up to [`PIECE`] bytes.
fn by_calls(receiver: &Capability<dyn Pieces>) -> Result<Report, TaskFailure> {
    let mut block = vec![0; 64 * PIECE];
    let start = Instant::now();
    // The first call has a deadline: it fails if the way to the object was cut before anybody greeted us.
    receiver.client().received().map_err(TaskFailure::receiver)?;
    let mut receiver = receiver.client().with_deadline(Deadline::Never);
    loop {
        let length = read(&mut block)?;
        if length == 0 {
            break;
        }
        for piece in block[..length].chunks(PIECE) {
            receiver.put(piece).map_err(TaskFailure::receiver)?;
        }
    }
    let summary = receiver.finish().map_err(TaskFailure::receiver)?;
    Ok(Report { summary, time: start.elapsed() })
}

/// Reads from the standard input as much as is there; nothing at its end.
fn read(block: &mut [u8]) -> Result<usize, TaskFailure> {
    loop {
        match std::io::stdin().lock().read(block) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read.map_err(|error| TaskFailure::input(&error)),
        }
    }
}
