//! Names: that each is there once, and that it means something where it is used.

use super::composition::Given;
use super::draft::{ComponentDraft, RouteDraft};
use super::problem::Problem;
use super::reader::At;
use super::reporter::Reporter;
use super::similar::did_you_mean;
use crate::label::LabelPattern;
use crate::name::{Name, Service};
use crate::route::{ServicePattern, Target};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;

/// Reports names that are double or mean nothing.
pub(super) fn check(
    components: &[ComponentDraft],
    routes: &[RouteDraft],
    given: &Given,
    reporter: &mut Reporter<'_>,
) {
    unique("component.name", components.iter().filter_map(|component| component.name.as_ref()), reporter);
    for component in components {
        unique("component.provides", &component.provides, reporter);
    }
    let mut known = HashMap::new();
    for component in components {
        if let Some(name) = &component.name {
            known.entry(name.value.as_str()).or_insert(component);
        }
    }
    let names = Names { known, all: components, given };
    for route in routes {
        names.check(route, reporter);
    }
}

/// Reports all but the first of equal names.
fn unique<'a, N: Display + Eq + std::hash::Hash + 'a>(
    key: &str,
    names: impl IntoIterator<Item = &'a At<N>>,
    reporter: &mut Reporter<'_>,
) {
    let mut seen = HashMap::new();
    for At { value, span } in names {
        match seen.get(value) {
            None => drop(seen.insert(value, span)),
            Some(first) => {
                let found = format!("\"{value}\", which line {} has already", reporter.line(first));
                reporter.report(span, Problem::error(key, found, "each name once"));
            }
        }
    }
}

struct Names<'a> {
    known: HashMap<&'a str, &'a ComponentDraft>,
    all: &'a [ComponentDraft],
    given: &'a Given,
}

impl Names<'_> {
    fn check(&self, draft: &RouteDraft, reporter: &mut Reporter<'_>) {
        if let Some(from) = &draft.route.from
            && !self.known.contains_key(from.as_str())
            && !from.is_parent()
        {
            let expected = "the name of a component, or \"parent\"";
            let problem = Problem::error("route.from", format!("\"{from}\""), expected);
            let hint = reporter.hint(|| did_you_mean(from.as_str(), self.names().chain(["parent"])));
            reporter.report(&draft.from, problem.hint(hint));
        }
        match &draft.route.to {
            Target::Denied => {}
            Target::Parent => self.check_parent(draft, reporter),
            Target::Child(to) => self.check_child(to, draft, reporter),
        }
        if let (None, LabelPattern::Suffix(label)) = (&draft.route.from, &draft.route.label)
            && let Some(hop) = label.hops().iter().find(|hop| self.known.contains_key(hop.as_str()))
        {
            let found = format!("the suffix \"{hop}\", the name of a component");
            let problem =
                Problem::warning("route.label", found, format!("from = \"{hop}\" if that client is meant"));
            let why = "a client chooses the tail of its labels itself, so a suffix identifies nobody";
            reporter.report(&draft.label, problem.hint(Some(why.into())));
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().copied()
    }

    fn check_parent(&self, draft: &RouteDraft, reporter: &mut Reporter<'_>) {
        if draft.route.from.as_ref().is_some_and(Name::is_parent) {
            let problem = Problem::error("route.to", "\"parent\", the client itself", "a component");
            reporter.report(&draft.to, problem);
            return;
        }
        let (ServicePattern::Named(service), Some(services)) = (&draft.route.service, &self.given.services)
        else {
            return;
        };
        if !services.contains(service) {
            let found = format!("\"{service}\"");
            let problem = match reporter.within().last() {
                None => {
                    let expected = format!("a service that the parent gives: {}", list(services));
                    Problem::error("route.service", found, expected)
                }
                Some(name) => {
                    let expected = format!("a service that {name} is routed to: {}", list(services));
                    Problem::warning("route.service", found, expected)
                }
            };
            let hint = reporter.hint(|| self.meant(service, services));
            reporter.report(&draft.service, problem.hint(hint));
        }
    }

    fn check_child(&self, to: &Name, draft: &RouteDraft, reporter: &mut Reporter<'_>) {
        let Some(component) = self.known.get(to.as_str()) else {
            let expected = "the name of a component, \"parent\" or \"denied\"";
            let problem = Problem::error("route.to", format!("\"{to}\""), expected);
            let names = self.names().chain(["parent", "denied"]);
            let hint = reporter.hint(|| did_you_mean(to.as_str(), names));
            reporter.report(&draft.to, problem.hint(hint));
            return;
        };
        if draft.route.from.as_ref() == Some(to) {
            let problem =
                Problem::error("route.to", format!("\"{to}\", the client itself"), "another component");
            reporter.report(&draft.to, problem);
            return;
        }
        // Of a table in which something is wrong it is not known what it provides.
        let Some(component) = &component.component else { return };
        let found = match &draft.route.service {
            ServicePattern::Any if component.provides.is_empty() => "\"*\"".to_owned(),
            ServicePattern::Named(service) if !component.provides.contains(service) => {
                format!("\"{service}\"")
            }
            _ => return,
        };
        let expected = format!("a service that {to} provides: {}", list(&component.provides));
        let hint = match &draft.route.service {
            ServicePattern::Any => None,
            ServicePattern::Named(service) => reporter.hint(|| self.meant(service, &component.provides)),
        };
        reporter.report(&draft.service, Problem::error("route.service", found, expected).hint(hint));
    }

    /// A service of a similar name, or who else has it.
    fn meant(&self, service: &Service, services: &BTreeSet<Service>) -> Option<String> {
        did_you_mean(service.as_str(), services.iter().map(Service::as_str)).or_else(|| {
            let provides = |draft: &&ComponentDraft| draft.provides.iter().any(|at| at.value == *service);
            let name = &self.all.iter().find(provides)?.name.as_ref()?.value;
            Some(format!("{name} provides it"))
        })
    }
}

/// Services in a row, the first few of them.
fn list(services: &BTreeSet<Service>) -> String {
    const MOST: usize = 8;
    let mut names: Vec<&str> = services.iter().map(Service::as_str).take(MOST).collect();
    match services.len() {
        0 => names.push("none"),
        count if count > MOST => names.push("..."),
        _ => {}
    }
    names.join(", ")
}
