//! What is to be measured, and how thoroughly.

use crate::error::Error;
use crate::process::Program;

/// What a benchmark measures, and how thoroughly.
///
/// ```
/// use portcullis_bench::{Options, Program};
///
/// let options = Options { quick: true, ..Options::new(Program::this_one(["component", "bench/call"])) };
/// assert_eq!(options.filter, None);
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// Only the case of this name; if there is none, those that have this in their names.
    pub filter: Option<String>,
    /// A few blocks only: some seconds altogether instead of up to a minute.
    pub quick: bool,
    /// What to start as the other side.
    pub component: Program,
}

impl Options {
    /// All cases, thoroughly.
    #[must_use]
    pub fn new(component: Program) -> Options {
        Options { filter: None, quick: false, component }
    }

    /// Those of the cases that are to be measured.
    pub(crate) fn choose<C, N: AsRef<str>>(
        &self,
        cases: impl IntoIterator<Item = C>,
        name: impl Fn(&C) -> N,
    ) -> Result<Vec<C>, Error> {
        let Some(filter) = self.filter.as_deref() else { return Ok(cases.into_iter().collect()) };
        let (exact, others): (Vec<_>, Vec<_>) =
            cases.into_iter().partition(|case| name(case).as_ref() == filter);
        if !exact.is_empty() {
            return Ok(exact);
        }
        let names = others.iter().map(|case| name(case).as_ref().to_owned()).collect();
        let found: Vec<_> = others.into_iter().filter(|case| name(case).as_ref().contains(filter)).collect();
        if found.is_empty() {
            return Err(Error::NoSuchCase { filter: filter.into(), cases: names });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_finds_its_case_a_part_of_names_those_and_a_wrong_one_says_what_there_is() {
        const ALL: [&str; 4] = ["a/64", "a/65536", "b/64", "b/65536"];
        let chosen = |filter: Option<&str>| {
            let options =
                Options { filter: filter.map(Into::into), ..Options::new(Program::this_one(["component"])) };
            options.choose(ALL, |case| *case)
        };
        assert_eq!(chosen(None).unwrap(), ALL);
        assert_eq!(chosen(Some("a/64")).unwrap(), ["a/64"]);
        assert_eq!(chosen(Some("b/6")).unwrap(), ["b/64", "b/65536"]);
        let error = chosen(Some("nothing")).unwrap_err().to_string();
        assert!(error.contains("`nothing`") && error.contains("b/65536"), "{error}");
    }
}
