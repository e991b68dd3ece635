//! Tells people which case is under way, and how far it is.

use std::io::{IsTerminal, Write};

/// A line on the standard error, if that is a terminal. Nothing runs beside the measurements: the line changes between
/// them.
pub(crate) struct Progress {
    shown: bool,
    cases: usize,
    begun: usize,
}

impl Progress {
    pub(crate) fn start(cases: usize) -> Progress {
        Progress { shown: std::io::stderr().is_terminal(), cases, begun: 0 }
    }

    /// The next case begins.
    pub(crate) fn begin(&mut self, case: &str) {
        self.begun += 1;
        self.go_on(case);
    }

    /// The same case goes on.
    pub(crate) fn go_on(&self, case: &str) {
        self.write(&format!("\r\x1b[K[{}/{}] {case}", self.begun, self.cases));
    }

    /// Makes room for something else on the line.
    pub(crate) fn clear(&self) {
        self.write("\r\x1b[K");
    }

    fn write(&self, text: &str) {
        if self.shown {
            let mut terminal = std::io::stderr();
            // A terminal that is gone needs no progress.
            let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
