//! What a component does on a thread of its own, so that its entrypoint goes on serving: the parent may wait for the end, and
//! may end itself.
//!
//! The thread, and the handler of a call that waits, have the entrypoint stop; then the task is looked at, and the
//! entrypoint runs on.

use crate::failure::Failure;
use crate::until_parent_ends;
use portcullis_entrypoint::{Entrypoint, EntrypointHandle, Error};
use portcullis_ipc::{Limits, Pd};
use portcullis_rpc::{Capability, Deadline, Later, Reply};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// How far a task is.
///
/// ```
/// use portcullis_examples::{Progress, TaskFailure};
///
/// fn end(progress: Progress<u64>) -> Option<Result<u64, TaskFailure>> {
///     match progress {
///         Progress::Running => None,
///         Progress::Done(report) => Some(Ok(report)),
///         Progress::Failed(failure) => Some(Err(failure)),
///     }
/// }
/// assert_eq!(end(Progress::Done(7)), Some(Ok(7)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress<R> {
    /// It runs, or has not begun.
    Running,
    /// It is done.
    Done(R),
    /// It cannot go on.
    Failed(TaskFailure),
}

/// What kept a task from its end, in its own words, which fit into a message.
///
/// ```
/// use portcullis_examples::TaskFailure;
///
/// let failure = TaskFailure::Input("disk on fire".into());
/// assert_eq!(failure.to_string(), "the input cannot be read: disk on fire");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TaskFailure {
    /// Its standard input.
    #[error("the input cannot be read: {0}")]
    Input(String),
    /// The object that it streams to, or the way to it.
    #[error("the receiver of the input failed: {0}")]
    Receiver(String),
    /// The component itself.
    #[error("the component that reads the input failed: {0}")]
    Own(String),
}

impl TaskFailure {
    /// The input could not be read.
    pub(crate) fn input(failure: &impl Display) -> TaskFailure {
        TaskFailure::Input(said(failure))
    }

    /// A call of the receiver failed.
    #[allow(clippy::needless_pass_by_value)] // as `map_err` wants it
    pub(crate) fn receiver(failure: impl Display) -> TaskFailure {
        TaskFailure::Receiver(said(&failure))
    }
}

/// An error's text, as much of it as surely fits into a message: parts of it may be the other side's.
fn said(error: &impl Display) -> String {
    const MOST_TEXT: usize = 999;
    let mut text = error.to_string();
    text.truncate(text.floor_char_boundary(MOST_TEXT));
    text
}

/// A task that is done once, and who waits for its end.
pub(crate) struct Task<R> {
    handle: EntrypointHandle,
    stage: Stage<R>,
    waiting: Option<Waiting<R>>,
}

/// Somebody who waits for the end, and until when.
struct Waiting<R> {
    reply: Reply<Result<Progress<R>, Failure>>,
    until: Instant,
}

enum Stage<R> {
    Idle,
    /// Its thread says how it ended.
    Running(Receiver<Result<R, TaskFailure>>),
    Ended(Progress<R>),
}

impl<R: Clone + Send + 'static> Task<R> {
    pub(crate) fn new(entrypoint: &Entrypoint) -> Task<R> {
        Task { handle: entrypoint.handle(), stage: Stage::Idle, waiting: None }
    }

    /// Begins.
    ///
    /// # Errors
    /// [`Failure::Begun`] the second time.
    pub(crate) fn begin(
        &mut self,
        work: impl FnOnce() -> Result<R, TaskFailure> + Send + 'static,
    ) -> Result<(), Failure> {
        let Stage::Idle = self.stage else { return Err(Failure::Begun) };
        let (end, at_end) = channel();
        self.stage = Stage::Running(at_end);
        let handle = self.handle.clone();
        std::thread::spawn(move || {
            // Nobody to tell means that the whole process is about to end.
            let _ = end.send(work());
            handle.stop();
        });
        Ok(())
    }

    /// Answers at the end, or after `time`, a second at most, if that comes first. Whoever waits already is told that the
    /// call was abandoned.
    pub(crate) fn wait(&mut self, time: Duration) -> Later<Result<Progress<R>, Failure>> {
        let (later, reply) = Later::new();
        self.waiting = Some(Waiting { reply, until: Instant::now() + time.min(Duration::from_secs(1)) });
        self.handle.stop();
        later
    }

    /// Says how far it is to who waits for it, if that is due. Answers when it will be.
    pub(crate) fn look(&mut self) -> Deadline {
        if let Stage::Running(at_end) = &self.stage {
            match at_end.try_recv() {
                Ok(end) => self.stage = Stage::Ended(end.map_or_else(Progress::Failed, Progress::Done)),
                Err(TryRecvError::Disconnected) => {
                    let lost = TaskFailure::Own("its thread panicked".into());
                    self.stage = Stage::Ended(Progress::Failed(lost));
                }
                Err(TryRecvError::Empty) => {}
            }
        }
        let Some(Waiting { reply, until }) = self.waiting.take() else { return Deadline::Never };
        let time_left = until.saturating_duration_since(Instant::now());
        match &self.stage {
            Stage::Ended(end) => reply.answer(Ok(end.clone())),
            _ if time_left.is_zero() => reply.answer(Ok(Progress::Running)),
            _ => {
                self.waiting = Some(Waiting { reply, until });
                return Deadline::After(time_left);
            }
        }
        Deadline::Never
    }
}

/// Serves the parent with the object that `manage` makes, until the parent ends, and looks after the object's task.
pub(crate) fn serve<I: ?Sized, T: 'static>(
    limits: Limits,
    manage: impl FnOnce(&Entrypoint) -> Capability<I>,
    look: fn(&mut T) -> Deadline,
) -> Result<(), Error> {
    let entrypoint = Entrypoint::with(&Pd::new()?, limits)?;
    let object = manage(&entrypoint);
    entrypoint.serve_parent(&object)?;
    until_parent_ends(look_after(&entrypoint, &object, look))
}

/// Serves until that ends, and looks after an object: whenever the entrypoint was stopped, and when `look` says that it is due.
pub(crate) fn look_after<I: ?Sized, T: 'static>(
    entrypoint: &Entrypoint,
    object: &Capability<I>,
    look: fn(&mut T) -> Deadline,
) -> Result<(), Error> {
    loop {
        entrypoint.run_until(entrypoint.apply(object, look)?)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_ipc::MsgBuf;
    use portcullis_rpc::codec::encode;

    #[test]
    fn whatever_a_receiver_says_can_be_reported() {
        for letter in ["x", "ß", "→"] {
            let failure = portcullis_rpc::Error::Relayed(letter.repeat(1024));
            let end: Result<Progress<()>, portcullis_rpc::Error> =
                Ok(Progress::Failed(TaskFailure::receiver(failure)));
            assert_eq!(encode(&end, &mut MsgBuf::new()), Ok(()));
        }
    }
}
