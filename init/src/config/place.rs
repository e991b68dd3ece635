//! Places in a file.

use std::fmt;

/// A place in a file: line and column, both counted from 1, the column in characters.
///
/// ```
/// # let problems = portcullis_init::Composition::parse("\n  what = 1").unwrap_err();
/// assert_eq!(problems.list()[0].place.to_string(), "2:3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// Where each begins, in bytes.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Lines<'a> {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// The text itself.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The line of a byte.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte)
    }

    /// The place of a byte, or of the end if there is no such byte. Takes time in proportion to the length of its line.
    pub(super) fn place(&self, byte: usize) -> Place {
        let byte = self.text.floor_char_boundary(byte.min(self.text.len()));
        let line = self.line(byte);
        let start = self.starts[line - 1];
        Place { line, column: self.text[start..byte].chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let text = "a\n\nüb\r\nc";
        let lines = Lines::of(text);
        let place = |byte| {
            let Place { line, column } = lines.place(byte);
            (line, column)
        };
        assert_eq!([0, 1, 2].map(place), [(1, 1), (1, 2), (2, 1)]);
        assert_eq!(place(text.find('b').unwrap()), (3, 2));
        assert_eq!(place(4), (3, 1), "within a character: where it begins");
        assert_eq!(place(text.find('c').unwrap()), (4, 1));
        assert_eq!(place(1000), (4, 2));
        assert_eq!(Lines::of("").place(0), Place { line: 1, column: 1 });
    }
}
