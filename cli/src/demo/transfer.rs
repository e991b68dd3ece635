//! Two components of which one streams to an object of the other, watched until that is done.

use super::process::{Process, blame, explain, said, worded};
use crate::failure::Failure;
use indicatif::{ProgressBar, ProgressStyle};
use portcullis_examples::{Failure as CallFailure, Progress, TaskFailure};
use portcullis_rpc::Error;
use std::time::Duration;

/// Between two looks at how far it is: on a terminal, and when nobody watches.
const LOOK: Duration = Duration::from_millis(100);
const LOOK_UNWATCHED: Duration = Duration::from_secs(1);

/// The processes that a call may find dead or silent.
pub(crate) struct Transfer {
    /// Whose object it is that the other streams to.
    pub(crate) receiver: Process,
    /// Who streams.
    pub(crate) sender: Process,
}

impl Transfer {
    /// What a call of the receiver came to.
    pub(crate) fn of_receiver<T>(&mut self, result: Result<T, CallFailure>) -> Result<T, Failure> {
        result.map_err(|failure| explain(&failure, [&mut self.receiver, &mut self.sender]))
    }

    /// What a call of the sender came to.
    pub(crate) fn of_sender<T>(&mut self, result: Result<T, CallFailure>) -> Result<T, Failure> {
        result.map_err(|failure| explain(&failure, [&mut self.sender, &mut self.receiver]))
    }

    /// Watches the sender until it is done, and the receiver with it: both must answer within the default deadline. `look` is
    /// there to look at something else between.
    pub(crate) fn follow<R>(
        &mut self,
        bar: &ProgressBar,
        mut wait: impl FnMut(Duration) -> Result<Progress<R>, CallFailure>,
        mut received: impl FnMut() -> Result<u64, CallFailure>,
        mut look: impl FnMut(&ProgressBar),
    ) -> Result<R, Failure> {
        let time = if bar.is_hidden() { LOOK_UNWATCHED } else { LOOK };
        loop {
            match self.of_sender(twice(|| wait(time)))? {
                Progress::Running => {
                    bar.set_position(self.of_receiver(twice(&mut received))?);
                    look(bar);
                }
                Progress::Done(report) => return Ok(report),
                Progress::Failed(failure @ TaskFailure::Input(_)) => {
                    return Err(Failure::Unread(said(&failure)));
                }
                // A process that died explains any failure.
                Progress::Failed(failure) => {
                    let dead = blame([&mut self.receiver, &mut self.sender]);
                    return Err(dead.unwrap_or_else(|| worded(&failure)));
                }
            }
        }
    }
}

/// Calls once more after a deadline: the whole demo may have been suspended (Ctrl-Z) and resumed.
fn twice<T>(mut call: impl FnMut() -> Result<T, CallFailure>) -> Result<T, CallFailure> {
    match call() {
        Err(CallFailure::Call(Error::DeadlineExceeded)) => call(),
        result => result,
    }
}

/// A bar on standard error, if that is a terminal.
pub(crate) fn bar(length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => {
            (ProgressBar::new(length), "{bar:14} {bytes} of {total_bytes}, {bytes_per_sec}  {wide_msg}")
        }
        None => (ProgressBar::no_length(), "{spinner} {bytes}, {bytes_per_sec}  {wide_msg}"),
    };
    // The templates are constant and valid; a bar with another style would do as well.
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
