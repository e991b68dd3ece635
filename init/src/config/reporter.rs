//! Where problems gather while a file is read.

use super::limits::MOST_PROBLEMS;
use super::place::{Lines, Place};
use super::problem::{Problem, Problems, Severity};
use std::ops::Range;

/// The problems of one file. A limited number is kept: a hostile file could have as many as it has bytes.
pub(super) struct Reporter<'a> {
    lines: Lines<'a>,
    errors: Kept,
    /// Apart, so that no number of them hides an error.
    warnings: Kept,
}

#[derive(Default)]
struct Kept {
    list: Vec<Problem>,
    more: usize,
}

impl Kept {
    fn has_room(&self) -> bool {
        self.list.len() < MOST_PROBLEMS
    }
}

impl<'a> Reporter<'a> {
    pub(super) fn of(text: &'a str) -> Reporter<'a> {
        Reporter { lines: Lines::of(text), errors: Kept::default(), warnings: Kept::default() }
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
        self.errors.has_room().then(find).flatten()
    }

    /// Something is wrong at this place.
    pub(super) fn report(&mut self, span: &Range<usize>, problem: Problem) {
        let kept = match problem.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if kept.has_room() {
            kept.list.push(Problem { place: self.lines.place(span.start), ..problem });
        } else {
            kept.more += 1;
        }
    }

    /// The warnings if there are no errors, else all, of which errors are not the ones to be left out.
    pub(super) fn finish(self) -> Result<Vec<Problem>, Problems> {
        let Reporter { errors: Kept { list: mut all, more }, mut warnings, .. } = self;
        if all.is_empty() {
            warnings.list.sort_by_key(|problem| problem.place);
            return Ok(warnings.list);
        }
        let left_out = warnings.list.split_off(warnings.list.len().min(MOST_PROBLEMS - all.len()));
        all.extend(warnings.list);
        all.sort_by_key(|problem| problem.place);
        Err(Problems::new(all, more + warnings.more + left_out.len()))
    }
}
