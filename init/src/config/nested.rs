//! Compositions within compositions: those that components are configured with who run them.
//!
//! They are read in their places in the file, so that what is wrong with them is said with all else and before anything is started. What
//! their components ask of the parent is held against the routes around them, as a warning: routes may change while they run.

use super::binaries::Binary;
use super::composition::{Component, Given};
use super::document;
use super::draft::{ComponentDraft, RouteDraft};
use super::limits::MOST_NESTED;
use super::problem::Problem;
use super::reader::At;
use super::reporter::Reporter;
use super::values::{self, Kind};
use crate::name::{Name, Service};
use crate::route::{Router, Target};
use portcullis_component::Label;
use portcullis_component::spawn::Spawn;
use portcullis_rpc::Interface;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The program that runs compositions. What another one is configured with is its own business.
const PROGRAM: &str = "portcullis-init";

/// What is known of who runs a composition.
pub(super) struct Parent {
    pub(super) given: Given,
    /// Where relative paths of binaries begin, from the directory of the file; none if the root is not known to start them.
    directory: Option<PathBuf>,
}

impl Parent {
    /// Of the composition of a file.
    pub(super) fn root(given: &Given) -> Parent {
        Parent { given: given.clone(), directory: Some(PathBuf::new()) }
    }

    /// The binaries of components, if it is known where their paths begin.
    pub(super) fn binaries(&self, components: &[ComponentDraft], reporter: &Reporter<'_>) -> Vec<Binary> {
        let within: Arc<[Name]> = reporter.within().into();
        let binary = |draft: &ComponentDraft| {
            let path = self.directory.as_ref()?.join(&draft.component.as_ref()?.binary);
            Some(Binary { path, place: reporter.place(&draft.binary), within: within.clone() })
        };
        components.iter().filter_map(binary).collect()
    }
}

/// A composition around others.
pub(super) struct Outer<'a> {
    pub(super) parent: &'a Parent,
    pub(super) tables: &'a [At<&'a DeTable<'a>>],
    pub(super) components: &'a [ComponentDraft],
    pub(super) routes: &'a [RouteDraft],
    /// Whether all components and routes could be read.
    pub(super) is_whole: bool,
}

impl Outer<'_> {
    /// Reports what is wrong with the compositions within it, and answers with the binaries that they name.
    pub(super) fn check(&self, reporter: &mut Reporter<'_>) -> Vec<Binary> {
        let components = self.components.iter().filter_map(|draft| draft.component.as_ref());
        let router = Router::of(components, self.routes.iter().map(|draft| &draft.route));
        let mut binaries = Vec::new();
        for (table, draft) in self.tables.iter().zip(self.components) {
            if let (Some(name), Some(config)) = (&draft.name, composition(table.value)) {
                let parent = self.parent_of(&name.value, draft, &router);
                binaries.extend(read(&name.value, config, &parent, reporter));
            }
        }
        binaries
    }

    /// What is known of a component that runs a composition. What it needs for itself is not, so it has no more than that to give.
    fn parent_of(&self, name: &Name, draft: &ComponentDraft, router: &Router) -> Parent {
        let component = draft.component.as_ref();
        // Processes are asked for without a label, and started where the root's own paths begin.
        let asks_above =
            |spawn: &Service| *router.decide(name, spawn, &Label::default()).to == Target::Parent;
        let spawn = <dyn Spawn as Interface>::NAME.parse().ok();
        let is_led =
            self.is_whole && self.parent.directory.is_some() && spawn.as_ref().is_some_and(asks_above);
        let directory = |component: &Component| component.args.first().map(PathBuf::from).unwrap_or_default();
        Parent {
            given: Given {
                ram: component.map(|component| component.ram),
                caps: component.map(|component| component.caps),
                services: router.open_to(name, self.parent.given.services.as_ref()).filter(|_| self.is_whole),
            },
            directory: component.filter(|_| is_led).map(directory),
        }
    }
}

/// What a component is configured with, if that is a composition that can be read.
fn composition<'t, 'i>(table: &'t DeTable<'i>) -> Option<&'t Spanned<DeValue<'i>>> {
    let binary = read_as(&values::BINARY, table.get("binary")?)?;
    let config = table.get("config").filter(|_| binary.file_name() == Some(OsStr::new(PROGRAM)))?;
    read_as(&values::CONFIG, config).map(|_| config)
}

fn read_as<T>(kind: &Kind<T>, value: &Spanned<DeValue<'_>>) -> Option<T> {
    (kind.read)(value.get_ref()).ok()
}

fn read(
    name: &Name,
    config: &Spanned<DeValue<'_>>,
    parent: &Parent,
    reporter: &mut Reporter<'_>,
) -> Vec<Binary> {
    let depth = reporter.within().len() + 1;
    if depth > MOST_NESTED {
        let found = format!("a composition within {depth} others");
        reporter.report(
            &config.span(),
            Problem::error("component.config", found, format!("{MOST_NESTED} at most")),
        );
        return Vec::new();
    }
    let content = reporter.read_within(name, |reporter| match config.get_ref() {
        DeValue::Table(table) => document::composition(table, config.span(), parent, reporter),
        DeValue::String(text) => {
            reporter.read_string(&config.span(), text, |reporter| document::toml(text, parent, reporter))
        }
        _ => document::Content::default(),
    });
    content.binaries
}
