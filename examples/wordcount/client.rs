//! The client component: streams its standard input to the counting object that it is handed.
//!
//! A thread of its own reads and calls, so that the component sees the end of its parent while it waits for input.

use super::interface::{CountingClient, Progress, Report, StreamFailure, decode_wait, streamer};
use super::reply::{self, Refusal};
use portcullis_ipc::{
    Badge, Caller, Capability, Deadline, Error, Limits, MAX_DATA, MsgBuf, Pd, Request, Server,
};
use std::io::{ErrorKind, Read};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The parent, and the own thread.
const LIMITS: Limits = Limits { rows: 2, channels: 4, portals: 2 };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// [`Error::NotSpawned`] if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    let mut server = Server::with(&Pd::new()?, LIMITS)?;
    server.serve_parent(server.badge())?;
    let (end, at_end) = server.mint()?;
    Streamer { server, stream: Stream::Idle { at_end }, end, waiting: None }.serve()
}

struct Streamer {
    server: Server,
    stream: Stream,
    /// The object that the stream's thread calls when it is done.
    end: Badge,
    /// Who waits for the end, and until when.
    waiting: Option<(Caller, Instant)>,
}

enum Stream {
    /// With what its thread will call us in the end.
    Idle {
        at_end: Capability,
    },
    Running(JoinHandle<Progress>),
    Ended(Progress),
}

impl Streamer {
    fn serve(mut self) -> Result<(), Error> {
        let mut message = MsgBuf::new();
        loop {
            let until = match &self.waiting {
                Some((_, until)) => Deadline::After(until.saturating_duration_since(Instant::now())),
                None => Deadline::Never,
            };
            match self.server.wait(&mut message, until) {
                Ok(request) => self.answer(request, &mut message)?,
                Err(Error::DeadlineExceeded) => self.answer_waiting(&mut message)?,
                Err(Error::ParentGone) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers a request, or keeps its caller until there is something to say.
    fn answer(&mut self, request: Request, message: &mut MsgBuf) -> Result<(), Error> {
        if request.badge == self.end {
            self.reply(request.caller, message, Ok(()))?;
            self.join();
            return self.answer_waiting(message);
        }
        let result = match message.opcode() {
            streamer::STREAM if message.data().is_empty() => message.take(0).ok_or(Refusal::Malformed),
            streamer::STREAM => Err(Refusal::Malformed),
            streamer::WAIT => {
                let Some(time) = decode_wait(message.data()) else {
                    return self.reply(request.caller, message, Err(Refusal::Malformed));
                };
                // Whoever waited until now is told that the call was abandoned.
                self.waiting = Some((request.caller, Instant::now() + time.min(Duration::from_secs(1))));
                return if matches!(self.stream, Stream::Ended(_)) {
                    self.answer_waiting(message)
                } else {
                    Ok(())
                };
            }
            _ => Err(Refusal::UnknownMethod),
        };
        let result = result.and_then(|object| self.begin(object));
        self.reply(request.caller, message, result)
    }

    /// Starts the stream.
    fn begin(&mut self, object: Capability) -> Result<(), Refusal> {
        let Stream::Idle { at_end } = &self.stream else { return Err(Refusal::Begun) };
        let at_end = at_end.clone();
        self.stream = Stream::Running(std::thread::spawn(move || {
            let progress = stream(object).map_or_else(Progress::Failed, Progress::Done);
            // Nobody to tell means that the whole process is about to end.
            let _ = at_end.call(&MsgBuf::new(), &mut MsgBuf::new());
            progress
        }));
        Ok(())
    }

    /// The stream's thread is done: takes its result.
    fn join(&mut self) {
        let lost = || Progress::Failed(StreamFailure::Client("its thread panicked".into()));
        self.stream = match std::mem::replace(&mut self.stream, Stream::Ended(lost())) {
            Stream::Running(thread) => Stream::Ended(thread.join().unwrap_or_else(|_| lost())),
            other => other,
        };
    }

    /// Says how far the stream is to who waits for it.
    fn answer_waiting(&mut self, message: &mut MsgBuf) -> Result<(), Error> {
        if matches!(&self.stream, Stream::Running(thread) if thread.is_finished()) {
            self.join();
        }
        let Some((caller, _)) = self.waiting.take() else { return Ok(()) };
        reply::done(message)?;
        match &self.stream {
            Stream::Ended(progress) => message.write(&progress.encode())?,
            _ => message.write(&Progress::Running.encode())?,
        }
        ignore_gone(self.server.reply(caller, message))
    }

    fn reply(
        &mut self,
        caller: Caller,
        message: &mut MsgBuf,
        result: Result<(), Refusal>,
    ) -> Result<(), Error> {
        match result {
            Ok(()) => reply::done(message)?,
            Err(refusal) => reply::refused(message, refusal)?,
        }
        ignore_gone(self.server.reply(caller, message))
    }
}

/// A caller who has gone needs no answer.
fn ignore_gone(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::CallerGone) => Ok(()),
        result => result,
    }
}

/// Streams the standard input to the object, in calls of up to 1,024 bytes.
fn stream(object: Capability) -> Result<Report, StreamFailure> {
    const BLOCK: usize = 64 * MAX_DATA;
    let mut object = CountingClient::new(object);
    let mut input = std::io::stdin().lock();
    let mut block = vec![0; BLOCK];
    let start = Instant::now();
    let mut calls = 0;
    // The first call has a deadline: it fails if the way to the object was cut before anybody greeted us.
    object.counts()?;
    loop {
        let length = match input.read(&mut block) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(StreamFailure::Input(error.to_string())),
        };
        for piece in block[..length].chunks(MAX_DATA) {
            object.add(piece)?;
            calls += 1;
        }
    }
    let counts = object.counts()?;
    // The first and the last.
    Ok(Report { counts, calls: calls + 2, time: start.elapsed() })
}
