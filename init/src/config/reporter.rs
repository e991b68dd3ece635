//! Where problems gather while a file is read.

use super::limits::MOST_PROBLEMS;
use super::place::{Lines, Place};
use super::problem::{Problem, Problems, Severity};
use std::ops::Range;

/// The problems of one file. A limited number is kept: a hostile file could have as many as it has bytes.
pub(super) struct Reporter<'a> {
    lines: Lines<'a>,
    list: Vec<Problem>,
    more: usize,
    failed: bool,
}

impl<'a> Reporter<'a> {
    pub(super) fn of(text: &'a str) -> Reporter<'a> {
        Reporter { lines: Lines::of(text), list: Vec::new(), more: 0, failed: false }
    }

    /// Where something begins.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        self.lines.place(span.start)
    }

    /// The same, as a line.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.lines.line(span.start)
    }

    /// A hint, unless it would go to nobody: what was meant takes time to find out.
    pub(super) fn hint(&self, find: impl FnOnce() -> Option<String>) -> Option<String> {
        (self.list.len() < MOST_PROBLEMS).then(find).flatten()
    }

    /// Something is wrong at this place.
    pub(super) fn report(&mut self, span: &Range<usize>, problem: Problem) {
        self.failed |= problem.severity == Severity::Error;
        if self.list.len() < MOST_PROBLEMS {
            self.list.push(Problem { place: self.place(span), ..problem });
        } else {
            self.more += 1;
        }
    }

    /// The warnings if there are no errors, else all.
    pub(super) fn finish(mut self) -> Result<Vec<Problem>, Problems> {
        self.list.sort_by_key(|problem| problem.place);
        if self.failed { Err(Problems::new(self.list, self.more)) } else { Ok(self.list) }
    }
}
