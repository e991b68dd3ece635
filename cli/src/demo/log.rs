//! The log of a demo: what its components report, for people. No demo depends on it.

use super::process::{self, Process};
use crate::failure::Failure;
use crate::output::note;
use portcullis_examples::Failure as CallFailure;
use portcullis_examples::wordcount::{LOG, Log, Logbook};
use portcullis_ipc::{Deadline, Pd};
use portcullis_rpc::{Capability, Client};
use std::process::Stdio;
use std::time::Duration;

/// What a look at the log takes at most. If that fails once, there is no second.
const PATIENCE: Deadline = Deadline::After(Duration::from_secs(1));

/// What is shown of a line at most, in characters.
const SHOWN: usize = 100;

/// A log process that may die or fall silent: then it is done without.
pub(crate) struct LogProcess {
    process: Process,
    /// Until it fails.
    book: Option<Client<dyn Logbook>>,
}

impl LogProcess {
    /// Starts it, and answers with the right to write, too, if there is an answer to that.
    pub(crate) fn start(pd: &Pd) -> Result<(LogProcess, Option<Capability<dyn Log>>), Failure> {
        let (process, book): (_, Capability<dyn Logbook>) = Process::start(pd, "log", LOG, Stdio::null())?;
        let mut log = LogProcess { process, book: Some(book.client()) };
        // As for any other process, that of its start included.
        let writer = log.ask(Logbook::open);
        log.book = log.book.map(|book| book.with_deadline(PATIENCE));
        Ok((log, writer))
    }

    /// The last line that somebody has written, as it can be shown.
    pub(crate) fn last(&mut self) -> Option<String> {
        self.ask(Logbook::last).flatten().map(|line| shown(&line))
    }

    /// Says the last line on standard error, or what is wrong.
    pub(crate) fn conclude(mut self) {
        let last = self.last();
        match (&self.book, last) {
            (Some(_), Some(line)) => note(format_args!("log: {line}")),
            (Some(_), None) => note(format_args!("log: nobody has written anything")),
            (None, _) => note(format_args!(
                "portcullis: the log process ({}) has ended or does not answer; the result does without",
                self.process.id()
            )),
        }
    }

    fn ask<T>(&mut self, question: fn(&mut Client<dyn Logbook>) -> Result<T, CallFailure>) -> Option<T> {
        let answer = question(self.book.as_mut()?).ok();
        if answer.is_none() {
            self.book = None;
        }
        answer
    }
}

/// What somebody has written, by way of a log that may say what it likes.
fn shown(line: &str) -> String {
    process::visible(line.chars().take(SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_does_nothing_to_the_terminal_and_has_an_end() {
        assert_eq!(shown("a\x1b[2Jb\nc\u{9b}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
        assert_eq!(shown(&"→".repeat(SHOWN + 1)), "→".repeat(SHOWN));
    }
}
