//! What is said while a composition runs, written by a thread of its own: who serves components never waits for a reader.

use crate::failure::Failure;
use crate::output;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

/// The most lines that wait to be written.
const MOST: usize = 1024;

/// What it may take to write what waits, when all is over.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where lines go. Clones are the same place.
#[derive(Clone)]
pub(super) struct Lines {
    lines: SyncSender<Line>,
}

enum Line {
    Text(String),
    Result(String),
    /// All before it was written; is told what came of the results.
    End(Sender<Result<(), Failure>>),
}

impl Lines {
    pub(super) fn start() -> Lines {
        let (lines, written) = sync_channel(MOST);
        std::thread::spawn(move || write_all(&written));
        Lines { lines }
    }

    /// Has a line written, or lost if too many wait already.
    pub(super) fn say(&self, line: String) {
        let _ = self.lines.try_send(Line::Text(line));
    }

    /// Has a line of results written, or lost if too many wait already.
    pub(super) fn result(&self, line: String) {
        let _ = self.lines.try_send(Line::Result(line));
    }

    /// Has a line written, and waits while too many wait already.
    pub(super) fn wait_for(&self, line: String) {
        let _ = self.lines.send(Line::Text(line));
    }

    /// Waits until all is written, for a limited time. An error says that results were not.
    pub(super) fn finish(&self) -> Result<(), Failure> {
        let (end, ended) = channel();
        match self.lines.try_send(Line::End(end)) {
            Ok(()) => ended.recv_timeout(PATIENCE).unwrap_or(Ok(())),
            Err(_) => Ok(()),
        }
    }
}

fn write_all(lines: &Receiver<Line>) {
    let mut written = Ok(());
    for line in lines {
        match line {
            Line::Text(line) => output::note(format_args!("{line}")),
            // Components go on, whether or not there is room for what is said of them.
            Line::Result(line) => written = written.and(output::result(line.as_bytes())),
            Line::End(end) => drop(end.send(std::mem::replace(&mut written, Ok(())))),
        }
    }
}
