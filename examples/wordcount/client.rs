//! The client component: streams its standard input to the counting object that it is handed.
//!
//! A thread of its own reads and calls, so that the component sees the end of its parent while it waits for input.
//! That thread, like the handler of a call that waits, has the entrypoint stop; then we look what there is to say, and
//! let it run on.

use super::interface::{Counting, Failure, Log, PIECE, Progress, Report, StreamFailure, Streamer};
use crate::until_parent_ends;
use portcullis_entrypoint::{Entrypoint, EntrypointHandle, Error};
use portcullis_ipc::{Limits, Pd};
use portcullis_rpc::{Capability, Deadline, Later, Reply};
use std::fmt::Display;
use std::io::{ErrorKind, Read};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// The parent alone.
const LIMITS: Limits = Limits { rows: 1, contexts: 0, channels: 4, portals: 2 };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    let entrypoint = Entrypoint::with(&Pd::new()?, LIMITS)?;
    let handle = entrypoint.handle();
    let client: Capability<dyn Streamer> =
        entrypoint.manage(Client { handle, stream: Stream::Idle, waiting: None });
    entrypoint.serve_parent(&client)?;
    loop {
        let time_left = entrypoint.apply(&client, Client::look)?;
        match entrypoint.run_until(time_left) {
            Ok(()) => {}
            ended => return until_parent_ends(ended),
        }
    }
}

struct Client {
    handle: EntrypointHandle,
    stream: Stream,
    /// Who waits for the end, and until when.
    waiting: Option<(Reply<Result<Progress, Failure>>, Instant)>,
}

enum Stream {
    Idle,
    /// Its thread says how it ended.
    Running(Receiver<Progress>),
    Ended(Progress),
}

impl Streamer for Client {
    fn stream(
        &mut self,
        object: Capability<dyn Counting>,
        log: Option<Capability<dyn Log>>,
    ) -> Result<(), Failure> {
        let Stream::Idle = self.stream else { return Err(Failure::Begun) };
        let (end, at_end) = channel();
        self.stream = Stream::Running(at_end);
        let handle = self.handle.clone();
        std::thread::spawn(move || {
            // Nobody to tell means that the whole process is about to end.
            let _ = end.send(stream(&object, log).map_or_else(Progress::Failed, Progress::Done));
            handle.stop();
        });
        Ok(())
    }

    fn wait(&mut self, time: Duration) -> Later<Result<Progress, Failure>> {
        let (later, reply) = Later::new();
        self.waiting = Some((reply, Instant::now() + time.min(Duration::from_secs(1))));
        self.handle.stop();
        later
    }
}

impl Client {
    /// Says how far the stream is to who waits for it, if that is due. Answers when it will be.
    fn look(&mut self) -> Deadline {
        if let Stream::Running(at_end) = &self.stream {
            match at_end.try_recv() {
                Ok(end) => self.stream = Stream::Ended(end),
                Err(TryRecvError::Disconnected) => {
                    let lost = StreamFailure::Client("its thread panicked".into());
                    self.stream = Stream::Ended(Progress::Failed(lost));
                }
                Err(TryRecvError::Empty) => {}
            }
        }
        let Some((reply, until)) = self.waiting.take() else { return Deadline::Never };
        let time_left = until.saturating_duration_since(Instant::now());
        match &self.stream {
            Stream::Ended(end) => reply.answer(Ok(end.clone())),
            _ if time_left.is_zero() => reply.answer(Ok(Progress::Running)),
            _ => {
                self.waiting = Some((reply, until));
                return Deadline::After(time_left);
            }
        }
        Deadline::Never
    }
}

/// Streams the standard input to the object, in calls of up to [`PIECE`] bytes.
fn stream(
    object: &Capability<dyn Counting>,
    log: Option<Capability<dyn Log>>,
) -> Result<Report, StreamFailure> {
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
    .map_err(counting)?;
    let mut object = object.client().with_deadline(Deadline::Never);
    loop {
        let length = match input.read(&mut block) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(StreamFailure::Input(said(&error))),
        };
        for piece in block[..length].chunks(PIECE) {
            object.add(piece).map_err(counting)?;
            calls += 1;
        }
    }
    let counts = object.counts().map_err(counting)?;
    // The first and the last.
    Ok(Report { counts, calls: calls + 2, time: start.elapsed() })
}

/// What a failed call is to the client component.
#[allow(clippy::needless_pass_by_value)] // as `map_err` wants it
fn counting(failure: Failure) -> StreamFailure {
    StreamFailure::Counting(said(&failure))
}

/// An error's text, as much of it as surely fits into a message: parts of it may be the other side's.
fn said(error: &impl Display) -> String {
    const MOST_TEXT: usize = 999;
    let mut text = error.to_string();
    text.truncate(text.floor_char_boundary(MOST_TEXT));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_ipc::MsgBuf;
    use portcullis_rpc::codec::encode;

    #[test]
    fn whatever_a_counting_object_says_can_be_reported() {
        for letter in ["x", "ß", "→"] {
            let failure = Failure::Call(portcullis_rpc::Error::Relayed(letter.repeat(1024)));
            let end: Result<_, Failure> = Ok(Progress::Failed(counting(failure)));
            assert_eq!(encode(&end, &mut MsgBuf::new()), Ok(()));
        }
    }
}
