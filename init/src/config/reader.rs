//! Tables with the keys that are known, and values of the kinds that are wanted.

use super::problem::Problem;
use super::reporter::Reporter;
use super::similar::did_you_mean;
use super::values::{Kind, describe, quoted};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// One table. What is wrong with it goes to the reporter, and counts here.
pub(super) struct Reader<'t, 'i, 'r, 'a> {
    /// How keys of this table are named.
    path: &'static str,
    table: &'t DeTable<'i>,
    span: Range<usize>,
    reporter: &'r mut Reporter<'a>,
    failed: bool,
}

impl<'t, 'i, 'r, 'a> Reader<'t, 'i, 'r, 'a> {
    /// Reads a table that has these keys and no others.
    pub(super) fn of(
        path: &'static str,
        table: &'t DeTable<'i>,
        span: Range<usize>,
        keys: &[&str],
        reporter: &'r mut Reporter<'a>,
    ) -> Reader<'t, 'i, 'r, 'a> {
        let mut reader = Reader { path, table, span, reporter, failed: false };
        for (key, _) in table {
            let said = key.get_ref();
            if !keys.contains(&said.as_ref()) {
                let found = format!("the unknown key {}", quoted(said));
                let problem = Problem::error(path, found, format!("one of {}", keys.join(", ")));
                let hint = reader.reporter.hint(|| did_you_mean(said, keys.iter().copied()));
                reader.report(&key.span(), problem.hint(hint));
            }
        }
        reader
    }

    /// Whether something was wrong.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    fn report(&mut self, span: &Range<usize>, problem: Problem) {
        self.failed = true;
        self.reporter.report(span, problem);
    }

    fn named(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }

    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.table.get(key)
    }

    /// What a key has, if it is there and right.
    pub(super) fn optional<T>(&mut self, key: &str, kind: &Kind<T>) -> Option<At<T>> {
        let value = self.get(key)?;
        self.value(key, value, kind)
    }

    /// What a key has, which must be there.
    pub(super) fn required<T>(&mut self, key: &str, kind: &Kind<T>) -> Option<At<T>> {
        if self.get(key).is_none() {
            let problem = Problem::error(self.named(key), "no such key", kind.expected);
            self.report(&self.span.clone(), problem);
        }
        self.optional(key, kind)
    }

    fn value<T>(&mut self, key: &str, value: &Spanned<DeValue<'_>>, kind: &Kind<T>) -> Option<At<T>> {
        match (kind.read)(value.get_ref()) {
            Ok(read) => Some(At { value: read, span: value.span() }),
            Err(hint) => {
                let problem = Problem::error(self.named(key), describe(value.get_ref()), kind.expected);
                self.report(&value.span(), problem.hint(hint));
                None
            }
        }
    }

    /// The elements of an array, none if the key is not there. Those that are wrong are left out.
    pub(super) fn list<T>(&mut self, key: &str, kind: &Kind<T>, most: usize) -> Vec<At<T>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(elements) = value.get_ref().as_array() else {
            let expected = format!("an array, each element {}", kind.expected);
            self.report(&value.span(), Problem::error(self.named(key), describe(value.get_ref()), expected));
            return Vec::new();
        };
        if !self.within(key, elements.len(), most, &value.span()) {
            return Vec::new();
        }
        elements.iter().filter_map(|element| self.value(key, element, kind)).collect()
    }

    /// Whether there are not too many of something.
    fn within(&mut self, key: &str, count: usize, most: usize, span: &Range<usize>) -> bool {
        if count > most {
            let problem =
                Problem::error(self.named(key), format!("{count} of them"), format!("{most} at most"));
            self.report(span, problem);
        }
        count <= most
    }

    /// The tables of an array of tables, with their places; none if the key is not there.
    pub(super) fn tables(&mut self, key: &str, most: usize) -> Vec<At<&'t DeTable<'i>>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let hint = Some(format!("write [[{key}]] before each"));
        let Some(elements) = value.get_ref().as_array() else {
            let problem = Problem::error(self.named(key), describe(value.get_ref()), "an array of tables");
            self.report(&value.span(), problem.hint(hint));
            return Vec::new();
        };
        if !self.within(key, elements.len(), most, &value.span()) {
            return Vec::new();
        }
        let mut tables = Vec::new();
        for element in elements {
            match element.get_ref().as_table() {
                Some(table) => tables.push(At { value: table, span: element.span() }),
                None => {
                    let problem = Problem::error(self.named(key), describe(element.get_ref()), "a table");
                    self.report(&element.span(), problem.hint(hint.clone()));
                }
            }
        }
        tables
    }

    /// A table within this one, which has these keys: what is made of it, unless something in it is wrong.
    pub(super) fn inner<T>(
        &mut self,
        key: &str,
        path: &'static str,
        keys: &[&str],
        make: impl FnOnce(&mut Reader<'t, 'i, '_, 'a>) -> T,
    ) -> Option<At<T>> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            let expected = format!("a table of {}", keys.join(", "));
            self.report(&value.span(), Problem::error(path, describe(value.get_ref()), expected));
            return None;
        };
        let mut reader = Reader::of(path, table, value.span(), keys, self.reporter);
        let made = make(&mut reader);
        let failed = reader.failed;
        self.failed |= failed;
        (!failed).then(|| At { value: made, span: value.span() })
    }

    /// What a key has, for those who read it themselves.
    pub(super) fn raw(&self, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.get(key)
    }

    /// Something is wrong with what a key has.
    pub(super) fn wrong(
        &mut self,
        key: &str,
        span: &Range<usize>,
        found: String,
        expected: &str,
        hint: Option<String>,
    ) {
        let problem = Problem::error(self.named(key), found, expected).hint(hint);
        self.report(span, problem);
    }

    /// Something is wrong with the table itself.
    pub(super) fn wrong_itself(&mut self, found: String, expected: &str) {
        self.report(&self.span.clone(), Problem::error(self.path, found, expected));
    }
}
