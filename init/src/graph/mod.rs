//! A composition as a graph: components, and the sessions that they may open of each other.
//!
//! `dot` writes it for Graphviz. `svg` draws it, where `layout` says: that knows boxes and lines only.

mod dot;
mod layout;
mod svg;

use crate::config::{Component, Composition, written};
use crate::label::LabelPattern;
use crate::route::Target;
use std::collections::HashMap;

/// The components of a composition and who may open which sessions of whom.
///
/// Routes that name no client come from a node for any component, and denials lead to a node of their own: so the graph has
/// as many lines as the file has pairs of clients and targets.
///
/// ```
/// use portcullis_init::{Composition, Graph};
///
/// let composition = Composition::parse(r#"
///     [[component]]
///     name = "shell"
///     binary = "bin/shell"
///     ram = "4M"
///     caps = 100
///
///     [[route]]
///     from = "shell"
///     service = "Log"
///     to = "parent"
/// "#)?;
/// let graph = Graph::of(&composition);
/// assert!(graph.dot().contains(r#""component shell" -> "parent" [label="Log"];"#));
/// assert!(graph.svg().starts_with("<svg"));
/// # Ok::<_, portcullis_init::Problems>(())
/// ```
#[derive(Clone, Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Component,
    /// Every component for which a route without a client is.
    Anyone,
    Parent,
    Denied,
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    name: String,
    /// What else is said of it.
    details: Vec<String>,
}

/// All routes from one node to another.
#[derive(Clone, Debug)]
struct Edge {
    from: usize,
    to: usize,
    /// A line for each.
    routes: Vec<String>,
}

impl Graph {
    /// The graph of a composition.
    #[must_use]
    pub fn of(composition: &Composition) -> Graph {
        let nodes = composition.components().iter().map(component).collect();
        let mut graph = Graph { nodes, edges: Vec::new() };
        let mut places: HashMap<(Kind, String), usize> = HashMap::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            places.insert((node.kind, node.name.clone()), index);
        }
        let mut edges: HashMap<(usize, usize), usize> = HashMap::new();
        for route in composition.routes() {
            let mut place = |kind, name: &str| {
                *places.entry((kind, name.into())).or_insert_with(|| {
                    graph.nodes.push(Node { kind, name: name.into(), details: Vec::new() });
                    graph.nodes.len() - 1
                })
            };
            let from = match &route.from {
                Some(name) if name.is_parent() => place(Kind::Parent, name.as_str()),
                Some(name) => place(Kind::Component, name.as_str()),
                None => place(Kind::Anyone, "any component"),
            };
            let to = match &route.to {
                Target::Child(name) => place(Kind::Component, name.as_str()),
                Target::Parent => place(Kind::Parent, "parent"),
                Target::Denied => place(Kind::Denied, "denied"),
            };
            let edge = *edges.entry((from, to)).or_insert_with(|| {
                graph.edges.push(Edge { from, to, routes: Vec::new() });
                graph.edges.len() - 1
            });
            graph.edges[edge].routes.push(match &route.label {
                LabelPattern::Any => route.service.to_string(),
                label => format!("{}: {label}", route.service),
            });
        }
        graph
    }

    /// The graph in the language of Graphviz.
    #[must_use]
    pub fn dot(&self) -> String {
        dot::write(self)
    }

    /// The graph as a picture.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::draw(self)
    }
}

fn component(component: &Component) -> Node {
    let mut details = vec![format!("{} RAM, {} caps", written(component.ram), component.caps.count())];
    if component.restart.crashes > 0 {
        details.push(format!("restart {}", component.restart));
    }
    details.extend(component.heartbeat.map(|every| format!("heartbeat {every:?}")));
    if component.sandbox != Default::default() {
        details.push(format!("sandbox {}", component.sandbox));
    }
    Node { kind: Kind::Component, name: component.name.to_string(), details }
}
