//! The client component: streams its standard input to the counting object that it is handed.

use super::interface::{Counting, Log, PIECE, Report, Streamer};
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
    task::serve(LIMITS, manage, |client: &mut Client| client.0.look())
}

fn manage(entrypoint: &Entrypoint) -> Capability<dyn Streamer> {
    entrypoint.manage(Client(Task::new(entrypoint)))
}

struct Client(Task<Report>);

impl Streamer for Client {
    fn stream(
        &mut self,
        object: Capability<dyn Counting>,
        log: Option<Capability<dyn Log>>,
    ) -> Result<(), Failure> {
        self.0.begin(move || stream(&object, log))
    }

    fn wait(&mut self, time: Duration) -> Later<Result<Progress<Report>, Failure>> {
        self.0.wait(time)
    }
}

/// Streams the standard input to the object, in calls of up to [`PIECE`] bytes.
fn stream(
    object: &Capability<dyn Counting>,
    log: Option<Capability<dyn Log>>,
) -> Result<Report, TaskFailure> {
    let mut input = std::io::stdin().lock();
    let mut block = vec![0; 64 * PIECE];
    let start = Instant::now();
    let mut calls = 0;
    // The first call has a deadline: it fails if the way to the object was cut before anybody greeted us.
    let mut first = object.client();
    match log {
        Some(log) => first.report_to(log),
        None => first.counts().map(drop),
    }
    .map_err(TaskFailure::receiver)?;
    let mut object = object.client().with_deadline(Deadline::Never);
    loop {
        let length = match input.read(&mut block) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(TaskFailure::input(&error)),
        };
        for piece in block[..length].chunks(PIECE) {
            object.add(piece).map_err(TaskFailure::receiver)?;
            calls += 1;
        }
    }
    let counts = object.counts().map_err(TaskFailure::receiver)?;
    // The first and the last.
    Ok(Report { counts, calls: calls + 2, time: start.elapsed() })
}
