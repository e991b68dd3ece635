//! Rules that nothing reaches, because earlier ones take all that they are for.
//!
//! A rule is for clients, services and labels. No set of label patterns takes all that another is for unless one of them
//! does alone ([`LabelPattern::covers`](crate::LabelPattern::covers)). So for each rule only those before it count whose
//! labels cover its own; what remains are clients and services, and these are counted out: for each client a bit for each
//! service of the rule. A pair of rules takes a few steps, however many clients they are for.

use super::draft::{ComponentDraft, RouteDraft};
use super::limits::MOST_PROVIDED;
use super::problem::Problem;
use super::reporter::Reporter;
use crate::name::{Name, Service};
use crate::route::{Route, ServicePattern, Target};
use std::collections::{BTreeSet, HashMap};

/// A bit for each service of a rule.
type Bits = u64;
const _: () = assert!(MOST_PROVIDED <= Bits::BITS as usize);

/// Reports rules that decide nothing.
pub(super) fn check(components: &[ComponentDraft], routes: &[RouteDraft], reporter: &mut Reporter<'_>) {
    let components: Vec<_> = components.iter().filter_map(|draft| draft.component.as_ref()).collect();
    let clients: HashMap<&Name, usize> =
        components.iter().enumerate().map(|(index, component)| (&component.name, index)).collect();
    let provides = |name: &Name| clients.get(name).map(|index| &components[*index].provides);
    let rules: Vec<Rule<'_>> =
        routes.iter().map(|draft| Rule::of(&draft.route, &clients, provides)).collect();

    for (index, rule) in rules.iter().enumerate() {
        let before: Vec<usize> =
            (0..index).filter(|earlier| rules[*earlier].route.label.covers(&rule.route.label)).collect();
        let mut taken = Taken::of(rule, components.len());
        before.iter().for_each(|earlier| taken.add(&rules[*earlier]));
        if !taken.is_all() {
            continue;
        }
        let alone = |earlier: &usize| {
            let mut taken = Taken::of(rule, components.len());
            taken.add(&rules[*earlier]);
            taken.is_all()
        };
        let by = reporter.hint(|| {
            let earlier = before.into_iter().find(alone)?;
            Some(format!("the rule in line {} takes", reporter.line(&routes[earlier].whole)))
        });
        let by = by.unwrap_or_else(|| "earlier rules together take".into());
        let found = format!("a rule that never decides: {by} all that it is for");
        let problem = Problem::error("route", found, "that each rule can decide");
        let hint = "the first that matches decides: put the special ones first, or take this one away";
        reporter.report(&routes[index].whole, problem.hint(Some(hint.into())));
    }
}

/// A rule, with numbers for names.
struct Rule<'a> {
    route: &'a Route,
    services: Services<'a>,
    /// The client, if it is for one: of the parent a number behind those of all components. A name that nobody has is the client of no rule
    /// that could be taken.
    from: Option<Option<usize>>,
    /// The component that it leads to, if it leads to one.
    to: Option<usize>,
}

#[derive(Clone, Copy)]
enum Services<'a> {
    /// All that there could be.
    All,
    One(&'a Service),
    Of(usize, &'a BTreeSet<Service>),
    None,
}

impl<'a> Rule<'a> {
    fn of(
        route: &'a Route,
        clients: &HashMap<&Name, usize>,
        provides: impl Fn(&Name) -> Option<&'a BTreeSet<Service>>,
    ) -> Rule<'a> {
        let to = match &route.to {
            Target::Child(child) => clients.get(child).copied(),
            Target::Parent | Target::Denied => None,
        };
        let services = match (&route.service, &route.to) {
            (ServicePattern::Named(service), Target::Child(child)) => match provides(child) {
                // Of a rule that leads nowhere there is something else to say.
                Some(services) if services.contains(service) && route.from.as_ref() != Some(child) => {
                    Services::One(service)
                }
                _ => Services::None,
            },
            (ServicePattern::Any, Target::Child(child)) => match (to, provides(child)) {
                (Some(index), Some(services)) if route.from.as_ref() != Some(child) => {
                    Services::Of(index, services)
                }
                _ => Services::None,
            },
            (ServicePattern::Named(service), Target::Parent | Target::Denied) => Services::One(service),
            (ServicePattern::Any, Target::Parent | Target::Denied) => Services::All,
        };
        let number =
            |from: &Name| if from.is_parent() { Some(clients.len()) } else { clients.get(from).copied() };
        Rule { route, services, from: route.from.as_ref().map(number), to }
    }
}

/// How much of one rule others take, whatever the label is.
struct Taken<'a> {
    rule: &'a Rule<'a>,
    /// All services of the rule.
    all: Bits,
    /// Of single clients, the parent behind the others: a rule for all clients is none for it.
    single: Vec<Bits>,
    /// Of all clients but for those that the target of the taking rule is, by this target.
    but: Vec<Bits>,
    /// Of all clients but for one at most.
    once: Bits,
    /// Of all clients.
    whole: Bits,
    /// What was found out of the services of other components.
    known: HashMap<usize, Bits>,
}

impl<'a> Taken<'a> {
    fn of(rule: &'a Rule<'a>, clients: usize) -> Taken<'a> {
        let all = match rule.services {
            // Only rules that are for all take it, so one bit is enough.
            Services::All | Services::One(_) => 1,
            Services::Of(_, services) => bits_of(services, |_| true),
            Services::None => 0,
        };
        let (single, but) = (vec![0; clients + 1], vec![0; clients]);
        Taken { rule, all, single, but, once: 0, whole: 0, known: HashMap::new() }
    }

    fn add(&mut self, other: &Rule<'_>) {
        let bits = self.bits(other);
        match (other.from, other.to) {
            (Some(client), _) => {
                if let Some(client) = client {
                    self.single[client] |= bits;
                }
            }
            (None, None) => self.whole |= bits,
            (None, Some(target)) => {
                // Two rules that leave out one client each leave out nobody together.
                self.whole |= bits & self.once & !self.but[target];
                self.once |= bits;
                self.but[target] |= bits;
            }
        }
    }

    /// Which services of the rule the other one is for.
    fn bits(&mut self, other: &Rule<'_>) -> Bits {
        match (self.rule.services, other.services) {
            (_, Services::All) => self.all,
            (Services::All | Services::None, _) | (_, Services::None) => 0,
            (Services::One(service), Services::One(named)) => Bits::from(service == named),
            (Services::One(service), Services::Of(_, services)) => Bits::from(services.contains(service)),
            (Services::Of(_, services), Services::One(service)) => bits_of(services, |one| one == service),
            (Services::Of(_, services), Services::Of(child, others)) => {
                *self.known.entry(child).or_insert_with(|| bits_of(services, |one| others.contains(one)))
            }
        }
    }

    /// Whether nothing is left. A rule that is for nobody, or for nothing, has something else wrong with it.
    fn is_all(&self) -> bool {
        let of_all = |client: usize| self.but.get(client).map_or(0, |but| self.whole | self.once & !but);
        let of = |client: usize| self.single[client] | of_all(client);
        let is_for = |client: &usize| match self.rule.from {
            Some(from) => from == Some(*client),
            None => *client < self.but.len() && self.rule.to != Some(*client),
        };
        let mut clients = (0..self.single.len()).filter(is_for).peekable();
        self.all != 0 && clients.peek().is_some() && clients.all(|client| of(client) == self.all)
    }
}

fn bits_of(services: &BTreeSet<Service>, is_taken: impl Fn(&Service) -> bool) -> Bits {
    services
        .iter()
        .enumerate()
        .map(|(bit, service)| Bits::from(is_taken(service)) << bit)
        .fold(0, |all, bit| all | bit)
}
