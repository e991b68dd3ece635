//! Where problems gather while a file is read.

use super::limits::MOST_PROBLEMS;
use super::place::{Lines, Place};
use super::problem::{Problem, Problems, Severity};
use crate::name::Name;
use std::ops::Range;

/// The problems of one file. A limited number is kept: a hostile file could have as many as it has bytes.
pub(super) struct Reporter<'a> {
    lines: Lines<'a>,
    text: Text,
    within: Vec<Name>,
    errors: Kept,
    /// Apart, so that no number of them hides an error.
    warnings: Kept,
}

/// Where the text that is read stands in the file.
#[derive(Clone, Copy)]
enum Text {
    /// As it is, from this byte on.
    From(usize),
    /// In a string that begins at this byte and is written in another way.
    At(usize),
}

impl Text {
    /// Where a byte of it stands.
    fn byte(self, byte: usize) -> usize {
        match self {
            Text::From(start) => start + byte,
            Text::At(start) => start,
        }
    }
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
        Reporter {
            lines: Lines::of(text),
            text: Text::From(0),
            within: Vec::new(),
            errors: Kept::default(),
            warnings: Kept::default(),
        }
    }

    /// The components that lead to the composition that is read: none of the file's own.
    pub(super) fn within(&self) -> &[Name] {
        &self.within
    }

    /// Has the composition read that a component is configured with. What is wrong there is told with its name.
    pub(super) fn read_within<T>(&mut self, name: &Name, read: impl FnOnce(&mut Self) -> T) -> T {
        self.within.push(name.clone());
        let made = read(self);
        self.within.pop();
        made
    }

    /// Has the text of a string read, which stands at this place. What is wrong in it is told with its place in the file or, where the
    /// string is written in another way than the text is, with that of the string.
    pub(super) fn read_string<T>(
        &mut self,
        span: &Range<usize>,
        text: &str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let start = self.text.byte(span.start);
        let written = self.lines.text().get(start..self.text.byte(span.end)).unwrap_or_default();
        let inner = written.find(text).map_or(Text::At(start), |at| Text::From(start + at));
        let outer = std::mem::replace(&mut self.text, inner);
        let made = read(self);
        self.text = outer;
        made
    }

    /// Where something begins.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        self.lines.place(self.text.byte(span.start))
    }

    /// The same, as a line.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.lines.line(self.text.byte(span.start))
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
            let place = self.lines.place(self.text.byte(span.start));
            kept.list.push(Problem { place, within: self.within.clone(), ..problem });
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
