//! What is wrong with a composition file.

use super::place::Place;
use crate::name::Name;
use std::fmt;
use std::path::Path;

/// How bad it is.
///
/// ```
/// assert_eq!(portcullis_init::Severity::Warning.to_string(), "warning");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The composition does not exist.
    Error,
    /// It does, and probably not as it was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// One thing that is wrong: where, with which key, what stands there and what was expected.
///
/// ```
/// let text = "[[component]]\nname = 'a'\nbinary = 'a'\nram = '4Q'\ncaps = 10";
/// let problems = portcullis_init::Composition::parse(text).unwrap_err();
/// assert_eq!(
///     problems.list()[0].to_string(),
///     "4:7: error: component.ram: found \"4Q\", expected a size of one byte at least: 4096, \"512K\", \"4M\" or \"2G\"",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// Of a composition within others: the components that lead to it, the outermost first.
    pub within: Vec<Name>,
    /// The key, with the tables around it: `component.restart.period`. Empty where the text is no TOML.
    pub key: String,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// Why, or what was probably meant.
    pub hint: Option<String>,
}

impl Problem {
    pub(super) fn error(
        key: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Problem {
        Problem {
            severity: Severity::Error,
            place: Place { line: 1, column: 1 },
            within: Vec::new(),
            key: key.into(),
            found: found.into(),
            expected: expected.into(),
            hint: None,
        }
    }

    pub(super) fn warning(
        key: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(key, found, expected) }
    }

    pub(super) fn hint(self, hint: Option<String>) -> Problem {
        Problem { hint, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.place, self.severity)?;
        if !self.within.is_empty() {
            let names: Vec<&str> = self.within.iter().map(Name::as_str).collect();
            write!(f, "{}: ", names.join(" -> "))?;
        }
        // What the TOML parser found is a sentence of its own.
        if !self.key.is_empty() {
            write!(f, "{}: found ", self.key)?;
        }
        write!(f, "{}, expected {}", self.found, self.expected)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

/// All that is wrong with a file, in the order of the file; one error at least. Prints as a line for each.
///
/// ```
/// let problems = portcullis_init::Composition::parse("componet = 1\nruote = 2").unwrap_err();
/// assert_eq!(problems.list().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    more: usize,
}

impl Problems {
    pub(super) fn new(list: Vec<Problem>, more: usize) -> Problems {
        Problems { list, more }
    }

    /// Each of them, up to [`MOST_PROBLEMS`](super::limits::MOST_PROBLEMS).
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// How many there are beyond the list.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }

    /// The same, with the name of the file before each line.
    #[must_use]
    pub fn in_file<'a>(&'a self, file: &'a Path) -> ProblemsInFile<'a> {
        ProblemsInFile { problems: self, file: Some(file) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ProblemsInFile { problems: self, file: None }.fmt(f)
    }
}

impl std::error::Error for Problems {}

/// Problems, as lines that name the file: see [`Problems::in_file`].
///
/// ```
/// let problems = portcullis_init::Composition::parse("a = ").unwrap_err();
/// let lines = problems.in_file("demo.toml".as_ref()).to_string();
/// assert!(lines.starts_with("demo.toml:1:"));
/// ```
#[derive(Debug)]
pub struct ProblemsInFile<'a> {
    problems: &'a Problems,
    file: Option<&'a Path>,
}

impl fmt::Display for ProblemsInFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.list.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "\n" })?;
            self.file.iter().try_for_each(|file| write!(f, "{}:", file.display()))?;
            write!(f, "{problem}")?;
        }
        if self.problems.more > 0 {
            write!(f, "\nand {} more", self.problems.more)?;
        }
        Ok(())
    }
}
