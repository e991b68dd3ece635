//! Components that want sessions of each other.
//!
//! A warning and no error: sessions are asked for while components run, all of which are started at once, so a circle is a
//! deadlock only if each of them wants its session before it serves others. Circles that rules for all clients make are not
//! reported: `Log` for everybody and `Timer` for everybody make one, and it means nothing.

use super::draft::RouteDraft;
use super::problem::Problem;
use super::reporter::Reporter;
use crate::name::Name;
use crate::route::Target;
use std::collections::{BTreeMap, HashSet};

/// Longer circles are shown without what is between.
const MOST_NAMES: usize = 8;

/// Reports each circle of routes that name their clients, at the route that closes it.
pub(super) fn check(routes: &[RouteDraft], reporter: &mut Reporter<'_>) {
    let mut leads: BTreeMap<&Name, Vec<(&Name, &RouteDraft)>> = BTreeMap::new();
    for draft in routes {
        if let (Some(from), Target::Child(to)) = (&draft.route.from, &draft.route.to) {
            leads.entry(from).or_default().push((to, draft));
        }
    }
    let mut done = HashSet::new();
    for start in leads.keys() {
        walk(start, &leads, &mut done, reporter);
    }
}

/// Follows the routes from a component, depth first, without recursion.
fn walk<'a>(
    start: &'a Name,
    leads: &BTreeMap<&'a Name, Vec<(&'a Name, &'a RouteDraft)>>,
    done: &mut HashSet<&'a Name>,
    reporter: &mut Reporter<'_>,
) {
    if !done.insert(start) {
        return;
    }
    // The way here, and which route of each component on it comes next.
    let mut way: Vec<(&Name, usize)> = vec![(start, 0)];
    while let Some((here, next)) = way.last_mut() {
        let Some((to, draft)) = leads.get(here).and_then(|routes| routes.get(*next)) else {
            way.pop();
            continue;
        };
        *next += 1;
        if let Some(begin) = way.iter().position(|(name, _)| name == to) {
            // A route to the client itself is an error of its own.
            if way.len() - begin > 1 {
                report(way[begin..].iter().map(|(name, _)| *name), draft, reporter);
            }
        } else if done.insert(to) {
            way.push((to, 0));
        }
    }
}

fn report<'a>(circle: impl Iterator<Item = &'a Name>, draft: &RouteDraft, reporter: &mut Reporter<'_>) {
    let mut names: Vec<&str> = circle.map(Name::as_str).collect();
    names.extend(names.first().copied());
    if names.len() > MOST_NAMES {
        names.splice(MOST_NAMES - 2..names.len() - 1, ["..."]);
    }
    let problem = Problem::warning(
        "route",
        format!("a circle: {}", names.join(" -> ")),
        "that one of them serves others before it opens its session",
    );
    reporter.report(
        &draft.whole,
        problem.hint(Some("if each opens it while it starts, none of them starts".into())),
    );
}
