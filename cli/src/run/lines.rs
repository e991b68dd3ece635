//! What is said while a composition runs, written by a thread of its own: who serves components never waits for a reader.

use crate::failure::Failure;
use crate::output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

/// The most lines that wait to be written.
const MOST: usize = 1024;

/// The most bytes that they have: the state of a composition may be long, since its components open as many sessions as they like.
const MOST_BYTES: usize = 4 << 20;

/// What it may take to write what waits, when all is over.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where lines go. Clones are the same place.
#[derive(Clone)]
pub(super) struct Lines {
    lines: SyncSender<Line>,
    bytes: Arc<AtomicUsize>,
}

enum Line {
    Text(String),
    Result(String),
    /// All before it was written; is told what came of the results.
    End(Sender<Result<(), Failure>>),
}

impl Line {
    fn bytes(&self) -> usize {
        match self {
            Line::Text(line) | Line::Result(line) => line.len(),
            Line::End(_) => 0,
        }
    }
}

impl Lines {
    pub(super) fn start() -> Lines {
        let (lines, written) = Lines::waiting();
        std::thread::spawn(move || written.write_all());
        lines
    }

    fn waiting() -> (Lines, Waiting) {
        let (lines, waiting) = sync_channel(MOST);
        let bytes = Arc::<AtomicUsize>::default();
        (Lines { lines, bytes: bytes.clone() }, Waiting { lines: waiting, bytes })
    }

    /// Has a line written, or lost if too many or too long ones wait already.
    pub(super) fn say(&self, line: String) {
        self.send(Line::Text(line));
    }

    /// Has a line of results written, or lost likewise.
    pub(super) fn result(&self, line: String) {
        self.send(Line::Result(line));
    }

    fn send(&self, line: Line) {
        let bytes = line.bytes();
        // Counted before it is sent, so that it is not taken off before. A count orders nothing else.
        let others = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if others.saturating_add(bytes) > MOST_BYTES || self.lines.try_send(line).is_err() {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Has a line written, and waits while too many wait already.
    pub(super) fn wait_for(&self, line: String) {
        let line = Line::Text(line);
        self.bytes.fetch_add(line.bytes(), Ordering::Relaxed);
        // Its other end is there for as long as this one.
        let _ = self.lines.send(line);
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

/// What waits to be written.
struct Waiting {
    lines: Receiver<Line>,
    bytes: Arc<AtomicUsize>,
}

impl Waiting {
    /// The next line, when it is there; nothing when there will be none.
    fn next(&self) -> Option<Line> {
        let line = self.lines.recv().ok()?;
        self.bytes.fetch_sub(line.bytes(), Ordering::Relaxed);
        Some(line)
    }

    fn write_all(self) {
        let mut written = Ok(());
        while let Some(line) = self.next() {
            match line {
                Line::Text(line) => output::note(format_args!("{line}")),
                // Components go on, whether or not there is room for what is said of them.
                Line::Result(line) => written = written.and(output::result(line.as_bytes())),
                Line::End(end) => drop(end.send(std::mem::replace(&mut written, Ok(())))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_to_be_written_is_bounded_in_bytes_and_what_was_written_makes_room() {
        // Four of them leave room for something short.
        const LONG: usize = (MOST_BYTES - 8) / 4;
        let (lines, waiting) = Lines::waiting();
        for _ in 0..20 {
            lines.result("x".repeat(LONG));
        }
        lines.say("short".into());
        let so_long = |line: Line| match line {
            Line::Text(line) | Line::Result(line) => line.len(),
            Line::End(_) => 0,
        };
        let first: Vec<usize> = std::iter::from_fn(|| waiting.next()).take(5).map(so_long).collect();
        assert_eq!(first, [LONG, LONG, LONG, LONG, 5]);
        lines.say("x".repeat(MOST_BYTES));
        assert_eq!(waiting.next().map(so_long), Some(MOST_BYTES));
    }
}
