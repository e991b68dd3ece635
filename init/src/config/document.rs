//! The file as a whole: text, TOML, tables, and what they make together.

use super::composition::{Composition, Given};
use super::draft::{self, ComponentDraft, RouteDraft};
use super::limits::{MOST_BYTES, MOST_COMPONENTS, MOST_ROUTES};
use super::problem::{Problem, Problems};
use super::reader::Reader;
use super::reporter::Reporter;
use super::{budget, cycle, shadow, validate};
use toml::de::{DeTable, Error};

/// From bytes to a composition that is right.
pub(super) fn parse(file: &[u8], given: &Given) -> Result<Composition, Problems> {
    let text = text(file)?;
    let mut reporter = Reporter::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What was recovered is not what was meant, so nothing is said of it.
        let mut last = 0;
        for error in &errors {
            // What follows on the same line mostly follows from the first.
            let line = reporter.line(&error.span().unwrap_or(0..0));
            if line != std::mem::replace(&mut last, line) {
                syntax(error, &mut reporter);
            }
        }
        return Err(reporter.finish().err().unwrap_or_else(|| Problems::new(Vec::new(), errors.len())));
    }

    let mut top = Reader::of("", document.get_ref(), 0..0, &["component", "route"], &mut reporter);
    let components = top.tables("component", MOST_COMPONENTS);
    let routes = top.tables("route", MOST_ROUTES);
    // If there are components that nobody could read, what routes say of them is not to blame.
    let readable = !top.failed() || !components.is_empty();
    let components: Vec<ComponentDraft> =
        components.iter().map(|table| draft::component(table, &mut reporter)).collect();
    let routes: Vec<RouteDraft> =
        routes.iter().filter_map(|table| draft::route(table, &mut reporter)).collect();

    if readable {
        validate::check(&components, &routes, given, &mut reporter);
    }
    // Who is a client, and what a target provides, is known once all components are.
    if components.iter().all(|draft| draft.component.is_some()) {
        shadow::check(&components, &routes, &mut reporter);
    }
    cycle::check(&routes, &mut reporter);
    budget::check(&components, given, &mut reporter);

    let binaries = components.iter().map(|component| reporter.place(&component.binary)).collect();
    let warnings = reporter.finish()?;
    let components = components.into_iter().filter_map(|draft| draft.component).collect();
    let routes = routes.into_iter().map(|draft| draft.route).collect();
    Ok(Composition::new(components, routes, binaries, warnings))
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
