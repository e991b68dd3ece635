//! Small compositions of all kinds, and what they mean, said in the plainest way.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

use portcullis_init::{Label, Name, Service};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::fmt::Write;

pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];
pub(crate) const SERVICES: [&str; 2] = ["S", "T"];
/// What rules are written with. Clients say one more.
const HOPS: [&str; 2] = ["x", "y"];

/// A component as a file has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct C {
    pub(crate) name: &'static str,
    pub(crate) provides: Vec<&'static str>,
    pub(crate) binary: &'static str,
    pub(crate) args: &'static str,
    pub(crate) ram: u64,
    pub(crate) caps: u64,
    pub(crate) config: u8,
    pub(crate) intensity: u8,
    pub(crate) sandbox: &'static str,
}

/// A rule as a file has it: the kind of label pattern is `any`, `exact`, `prefix` or `suffix`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct R {
    pub(crate) from: Option<&'static str>,
    pub(crate) service: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) hops: Vec<&'static str>,
    pub(crate) to: &'static str,
}

/// A file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct F {
    pub(crate) components: Vec<C>,
    pub(crate) routes: Vec<R>,
}

impl C {
    pub(crate) fn named(name: &'static str) -> C {
        let (binary, args, sandbox) = ("bin", "arg", "strict");
        C { name, provides: Vec::new(), binary, args, ram: 4096, caps: 10, config: 0, intensity: 0, sandbox }
    }
}

impl R {
    fn matches(&self, file: &F, client: &str, service: &str, label: &[&str]) -> bool {
        let provides = |name: &str| file.components.iter().find(|c| c.name == name).map(|c| &c.provides);
        let client_fits = self.from.map_or(self.to != client, |from| from == client);
        let service_fits = match self.service {
            "*" => provides(self.to).is_none_or(|provides| provides.contains(&service)),
            named => named == service,
        };
        let label_fits = match self.kind {
            "any" => true,
            "exact" => label == self.hops,
            "prefix" => label.len() >= self.hops.len() && label[..self.hops.len()] == self.hops,
            _ => label.len() >= self.hops.len() && label[label.len() - self.hops.len()..] == self.hops,
        };
        client_fits && service_fits && label_fits
    }
}

impl F {
    /// Which rule decides.
    pub(crate) fn rule(&self, client: &str, service: &str, label: &[&str]) -> Option<usize> {
        self.routes.iter().position(|rule| rule.matches(self, client, service, label))
    }

    /// Without rules whose names are wrong: others tests look at those.
    pub(crate) fn tidy(mut self) -> F {
        let components = self.components.clone();
        let provides = |rule: &R| {
            let target = components.iter().find(|component| component.name == rule.to);
            target.map_or(["parent", "denied"].contains(&rule.to), |component| {
                if rule.service == "*" {
                    !component.provides.is_empty()
                } else {
                    component.provides.contains(&rule.service)
                }
            })
        };
        let known = |from: Option<&str>| from.is_none_or(|from| components.iter().any(|c| c.name == from));
        self.routes.retain(|rule| provides(rule) && rule.from != Some(rule.to) && known(rule.from));
        self
    }

    /// Without rules that never decide.
    pub(crate) fn reachable(mut self) -> F {
        let unreachable = unreachable(&self);
        let mut index = 0;
        self.routes.retain(|_| {
            index += 1;
            !unreachable.contains(&(index - 1))
        });
        self
    }

    /// The file, and the line of each rule.
    pub(crate) fn text(&self) -> (String, Vec<usize>) {
        let mut text = String::new();
        for C { name, provides, binary, args, ram, caps, config, intensity, sandbox } in &self.components {
            write!(
                text,
                "[[component]]\nname = {name:?}\nbinary = {binary:?}\nargs = [{args:?}]\nram = {ram}\ncaps = {caps}\n\
                 provides = {provides:?}\nconfig = {{ n = {config} }}\nrestart = {{ intensity = {intensity} }}\n\
                 sandbox = {sandbox:?}\n"
            )
            .unwrap();
        }
        let mut lines = Vec::new();
        for R { from, service, kind, hops, to } in &self.routes {
            lines.push(text.lines().count() + 1);
            writeln!(text, "[[route]]\nservice = {service:?}\nto = {to:?}").unwrap();
            from.iter().for_each(|from| writeln!(text, "from = {from:?}").unwrap());
            if *kind != "any" {
                writeln!(text, "label = {{ {kind} = {hops:?} }}").unwrap();
            }
        }
        (text, lines)
    }
}

/// Rules that decide on no session at all.
pub(crate) fn unreachable(file: &F) -> Vec<usize> {
    let mut reached = vec![false; file.routes.len()];
    for (client, service, label) in sessions(file) {
        if let Some(rule) = file.rule(client, service, &label) {
            reached[rule] = true;
        }
    }
    (0..reached.len()).filter(|index| !reached[*index]).collect()
}

/// Every session that is of interest: of a service and with a hop, too, that no rule knows.
pub(crate) fn sessions(file: &F) -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let mut labels: Vec<Vec<&str>> = vec![Vec::new()];
    let mut last = labels.clone();
    // Rules know two hops at most, so with one more that none of them knows every rule has a label of its own.
    for _ in 0..3 {
        last = last
            .iter()
            .flat_map(|label| HOPS.into_iter().chain(["z"]).map(|hop| [&label[..], &[hop]].concat()))
            .collect();
        labels.extend(last.iter().cloned());
    }
    let clients = file.components.iter().map(|component| component.name);
    clients
        .flat_map(|client| SERVICES.into_iter().chain(["Unknown"]).map(move |service| (client, service)))
        .flat_map(|(client, service)| labels.iter().map(move |label| (client, service, label.clone())))
        .collect()
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn service(text: &str) -> Service {
    text.parse().unwrap()
}

pub(crate) fn label(hops: &[&str]) -> Label {
    Label::new(hops.iter().copied()).unwrap()
}

fn component(name: &'static str) -> impl Strategy<Value = C> {
    let usually = |usual: &'static str, other: &'static str| prop_oneof![3 => Just(usual), 1 => Just(other)];
    let process = (usually("bin", "other"), usually("arg", "other"), usually("strict", "off"));
    let budget = (select(vec![4096, 8192, 16384]), 10_u64..13);
    (subsequence(SERVICES.to_vec(), 0..=2), process, budget, 0_u8..2, 0_u8..2).prop_map(
        move |(provides, (binary, args, sandbox), (ram, caps), config, intensity)| C {
            name,
            provides,
            binary,
            args,
            ram,
            caps,
            config,
            intensity,
            sandbox,
        },
    )
}

fn rule() -> impl Strategy<Value = R> {
    let to = select(vec!["a", "b", "c", "parent", "denied"]);
    let label = prop_oneof![
        1 => Just(("any", Vec::new())),
        2 => (select(vec!["exact", "prefix", "suffix"]), prop::collection::vec(select(HOPS.to_vec()), 1..=2)),
    ];
    let from = prop::option::of(select(NAMES.to_vec()));
    (from, select(vec!["S", "T", "*"]), label, to).prop_map(|(from, service, (kind, hops), to)| R {
        from,
        service,
        kind,
        hops,
        to,
    })
}

/// Files whose names are right.
pub(crate) fn file() -> impl Strategy<Value = F> {
    let components = NAMES.map(|name| prop::option::weighted(0.85, component(name)));
    (components, prop::collection::vec(rule(), 0..10)).prop_map(|(components, routes)| {
        F { components: components.into_iter().flatten().collect(), routes }.tidy()
    })
}
