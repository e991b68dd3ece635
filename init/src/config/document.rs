//! The file as a whole: text, TOML, tables, and what they make together.

use super::binaries::Binary;
use super::composition::{Component, Composition, Given};
use super::draft::{self, ComponentDraft, RouteDraft};
use super::limits::{MOST_BYTES, MOST_COMPONENTS, MOST_ROUTES};
use super::nested::{Outer, Parent};
use super::problem::{Problem, Problems};
use super::reader::Reader;
use super::reporter::Reporter;
use super::{budget, cycle, shadow, validate};
use crate::route::Route;
use std::ops::Range;
use toml::de::{DeTable, Error};

/// What a composition says, as far as it is right.
#[derive(Default)]
pub(super) struct Content {
    components: Vec<Component>,
    routes: Vec<Route>,
    /// Those of the compositions within it, too.
    pub(super) binaries: Vec<Binary>,
}

/// From bytes to a composition that is right.
pub(super) fn parse(file: &[u8], given: &Given) -> Result<Composition, Problems> {
    let text = text(file)?;
    let mut reporter = Reporter::of(text);
    let content = toml(text, &Parent::root(given), &mut reporter);
    let warnings = reporter.finish()?;
    Ok(Composition::new(content.components, content.routes, content.binaries, warnings))
}

/// Reads a composition that is a text.
pub(super) fn toml(text: &str, parent: &Parent, reporter: &mut Reporter<'_>) -> Content {
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return composition(document.get_ref(), 0..0, parent, reporter);
    }
    // What was recovered is not what was meant, so nothing is said of it.
    let mut last = 0;
    for error in &errors {
        // What follows on the same line mostly follows from the first.
        let line = reporter.line(&error.span().unwrap_or(0..0));
        if line != std::mem::replace(&mut last, line) {
            syntax(error, reporter);
        }
    }
    Content::default()
}

/// Reads a composition that is a table, at this place.
pub(super) fn composition(
    document: &DeTable<'_>,
    span: Range<usize>,
    parent: &Parent,
    reporter: &mut Reporter<'_>,
) -> Content {
    let given = &parent.given;
    let mut top = Reader::of("", document, span.clone(), &["component", "route"], reporter);
    let tables = top.tables("component", MOST_COMPONENTS);
    let rules = top.tables("route", MOST_ROUTES);
    // If there are components that nobody could read, what routes say of them is not to blame.
    let (failed, readable) = (top.failed(), !top.failed() || !tables.is_empty());
    let components: Vec<ComponentDraft> =
        tables.iter().map(|table| draft::component(table, reporter)).collect();
    let routes: Vec<RouteDraft> = rules.iter().filter_map(|table| draft::route(table, reporter)).collect();

    if components.is_empty() && !failed {
        let none = Problem::warning("component", "none of them", "one at least");
        reporter.report(&span, none.hint(Some("there is nothing to run".into())));
    }
    if readable {
        validate::check(&components, &routes, given, reporter);
    }
    // Who is a client, and what a target provides, is known once all components are.
    let all_known = components.iter().all(|draft| draft.component.is_some());
    if all_known {
        shadow::check(&components, &routes, reporter);
    }
    cycle::check(&routes, reporter);
    budget::check(&components, given, reporter);

    let mut binaries = parent.binaries(&components, reporter);
    let is_whole = !failed && all_known && routes.len() == rules.len();
    let outer = Outer { parent, tables: &tables, components: &components, routes: &routes, is_whole };
    binaries.extend(outer.check(reporter));
    let components = components.into_iter().filter_map(|draft| draft.component).collect();
    let routes = routes.into_iter().map(|draft| draft.route).collect();
    Content { components, routes, binaries }
}

/// The file as text.
fn text(file: &[u8]) -> Result<&str, Problems> {
    let problem = |text, at, found: String, expected: &str| {
        let mut reporter = Reporter::of(text);
        reporter.report(&(at..at), Problem::error("", found, expected));
        reporter.finish().err().unwrap_or_else(|| Problems::new(Vec::new(), 1))
    };
    if file.len() > MOST_BYTES {
        return Err(problem("", 0, format!("{} bytes", file.len()), "a file of up to 1M"));
    }
    std::str::from_utf8(file).map_err(|error| {
        let (good, rest) = file.split_at(error.valid_up_to());
        let good = std::str::from_utf8(good).unwrap_or_default();
        problem(good, good.len(), format!("the byte 0x{:02x}", rest[0]), "text in UTF-8")
    })
}

/// What the TOML parser says, in our form.
fn syntax(error: &Error, reporter: &mut Reporter<'_>) {
    let span = error.span().unwrap_or(0..0);
    let (found, expected) = match error.message().split_once(", expected ") {
        Some((found, expected)) => (found, expected),
        None if error.message().starts_with("duplicate key") => (error.message(), "each key once in a table"),
        None => (error.message(), "TOML"),
    };
    // One line for each, whatever the parser quotes.
    let line = |text: &str| text.replace(char::is_control, " ");
    reporter.report(&span, Problem::error("", line(found), line(expected)));
}
