//! One component, one route, each as far as its own table tells.

use super::composition::Component;
use super::limits;
use super::reader::{At, Reader};
use super::reporter::Reporter;
use super::values::{self, describe, quoted};
use crate::label::LabelPattern;
use crate::name::{Name, Service};
use crate::restart::Intensity;
use crate::route::Route;
use portcullis_component::Label;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A component, and where its parts stand.
pub(super) struct ComponentDraft {
    /// What others may call it, even if the rest is wrong.
    pub(super) name: Option<At<Name>>,
    pub(super) provides: Vec<At<Service>>,
    pub(super) ram: Range<usize>,
    pub(super) caps: Range<usize>,
    pub(super) binary: Range<usize>,
    /// Unless something in its table is wrong.
    pub(super) component: Option<Component>,
}

/// A route, and where its parts stand.
pub(super) struct RouteDraft {
    pub(super) route: Route,
    pub(super) whole: Range<usize>,
    pub(super) from: Range<usize>,
    pub(super) service: Range<usize>,
    pub(super) label: Range<usize>,
    pub(super) to: Range<usize>,
}

const COMPONENT: [&str; 10] =
    ["name", "binary", "args", "ram", "caps", "provides", "config", "restart", "heartbeat", "sandbox"];
const RESTART: [&str; 2] = ["intensity", "period"];
const ROUTE: [&str; 4] = ["from", "service", "label", "to"];
const LABEL: [&str; 3] = ["exact", "prefix", "suffix"];
const LABEL_EXPECTED: &str = "a hop, an array of hops, or a table with one of exact, prefix, suffix";

/// Reads a `[[component]]`.
pub(super) fn component(table: &At<&DeTable<'_>>, reporter: &mut Reporter<'_>) -> ComponentDraft {
    let mut reader = Reader::of("component", table.value, table.span.clone(), &COMPONENT, reporter);
    let name = reader.required("name", &values::NAME);
    let binary = reader.required("binary", &values::BINARY);
    let args = reader.list("args", &values::ARG, limits::MOST_ARGS);
    let ram = reader.required("ram", &values::RAM);
    let caps = reader.required("caps", &values::CAPS);
    let provides = reader.list("provides", &values::SERVICE, limits::MOST_PROVIDED);
    let config = reader.optional("config", &values::CONFIG);
    let restart = reader.inner("restart", "component.restart", &RESTART, |reader| Intensity {
        crashes: reader.optional("intensity", &values::CRASHES).map_or(Intensity::OTP.crashes, |at| at.value),
        period: reader.optional("period", &values::TIME).map_or(Intensity::OTP.period, |at| at.value),
    });
    let heartbeat = reader.optional("heartbeat", &values::TIME);
    let sandbox = reader.optional("sandbox", &values::SANDBOX);

    let at = |span: Option<&Range<usize>>| span.unwrap_or(&table.span).clone();
    let places = [
        ram.as_ref().map(|at| &at.span),
        caps.as_ref().map(|at| &at.span),
        binary.as_ref().map(|at| &at.span),
    ];
    let [ram_place, caps_place, binary_place] = places.map(at);
    let complete = !reader.failed();
    let component = match (&name, binary, ram, caps) {
        (Some(name), Some(binary), Some(ram), Some(caps)) if complete => Some(Component {
            name: name.value.clone(),
            binary: binary.value,
            args: args.into_iter().map(|at| at.value).collect(),
            ram: ram.value,
            caps: caps.value,
            provides: provides.iter().map(|at| at.value.clone()).collect(),
            config: config.map(|at| at.value).unwrap_or_default(),
            restart: restart.map(|at| at.value).unwrap_or_default(),
            heartbeat: heartbeat.map(|at| at.value),
            sandbox: sandbox.map(|at| at.value).unwrap_or_default(),
        }),
        _ => None,
    };
    ComponentDraft { name, provides, ram: ram_place, caps: caps_place, binary: binary_place, component }
}

/// Reads a `[[route]]`, unless something in its table is wrong.
pub(super) fn route(table: &At<&DeTable<'_>>, reporter: &mut Reporter<'_>) -> Option<RouteDraft> {
    let mut reader = Reader::of("route", table.value, table.span.clone(), &ROUTE, reporter);
    let from = reader.optional("from", &values::CLIENT);
    let service = reader.required("service", &values::SERVICE_PATTERN);
    let label = label(&mut reader);
    let to = reader.required("to", &values::TARGET);
    if reader.failed() {
        return None;
    }
    let (service, to) = (service?, to?);
    let at = |span: Option<&Range<usize>>| span.unwrap_or(&table.span).clone();
    let (from_place, label_place) =
        (at(from.as_ref().map(|at| &at.span)), at(label.as_ref().map(|at| &at.span)));
    Some(RouteDraft {
        route: Route {
            from: from.map(|at| at.value),
            service: service.value,
            label: label.map(|at| at.value).unwrap_or_default(),
            to: to.value,
        },
        whole: table.span.clone(),
        from: from_place,
        service: service.span,
        label: label_place,
        to: to.span,
    })
}

/// The labels of a route: `"a"`, `["a", "b"]`, or `{ prefix = ["a"] }` and the like.
fn label(reader: &mut Reader<'_, '_, '_, '_>) -> Option<At<LabelPattern>> {
    let value = reader.raw("label")?;
    if value.get_ref().as_table().is_none() {
        let exact = hops(reader, "label", LABEL_EXPECTED)?;
        return Some(At { value: LabelPattern::Exact(exact.value), span: exact.span });
    }
    let pattern = reader.inner("label", "route.label", &LABEL, |reader| {
        let said: Vec<&str> = LABEL.into_iter().filter(|key| reader.raw(key).is_some()).collect();
        let [kind] = said[..] else {
            let found = if said.is_empty() { "none of them".into() } else { said.join(" and ") };
            reader.wrong_itself(found, "one of exact, prefix, suffix");
            return None;
        };
        let At { value: label, span } = hops(reader, kind, "a hop, or an array of hops")?;
        if kind != "exact" && label.hops().is_empty() {
            let hint = Some("every label has that; leave `label` out".into());
            reader.wrong(kind, &span, "no hops".into(), "one hop at least", hint);
        }
        Some(match kind {
            "prefix" => LabelPattern::Prefix(label),
            "suffix" => LabelPattern::Suffix(label),
            _ => LabelPattern::Exact(label),
        })
    })?;
    Some(At { value: pattern.value?, span: pattern.span })
}

/// One hop, or an array of them.
fn hops(reader: &mut Reader<'_, '_, '_, '_>, key: &str, expected: &str) -> Option<At<Label>> {
    let value = reader.raw(key)?;
    let (read, found) = match value.get_ref() {
        DeValue::String(hop) => (Label::new([hop.as_ref()]), quoted(hop)),
        DeValue::Array(_) => {
            let hops = reader.list(key, &values::HOP, Label::MAX_HOPS);
            if reader.failed() {
                return None;
            }
            (Label::new(hops.into_iter().map(|hop| hop.value)), "an array".into())
        }
        other => {
            reader.wrong(key, &value.span(), describe(other), expected, None);
            return None;
        }
    };
    match read {
        Ok(label) => Some(At { value: label, span: value.span() }),
        Err(error) => {
            reader.wrong(key, &value.span(), found, expected, Some(error.to_string()));
            None
        }
    }
}
