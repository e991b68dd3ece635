//! The graph in the language of Graphviz.

use super::{Graph, Kind, Node};
use std::fmt::Write;

/// The whole graph, a statement on each line.
pub(super) fn write(graph: &Graph) -> String {
    let mut dot = String::from(
        "digraph composition {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];\n  edge [fontname=\"monospace\"];\n",
    );
    for node in &graph.nodes {
        let label = std::iter::once(&node.name).chain(&node.details).map(String::as_str);
        let style = match node.kind {
            Kind::Component => "",
            Kind::Anyone => ", style=dashed",
            Kind::Parent => ", shape=ellipse",
            Kind::Denied => ", shape=octagon",
        };
        // Nothing keeps a `String` from growing.
        let _ = writeln!(dot, "  {} [label={}{style}];", quoted([id(node).as_str()]), quoted(label));
    }
    for edge in &graph.edges {
        let (from, to) = (id(&graph.nodes[edge.from]), id(&graph.nodes[edge.to]));
        let label = quoted(edge.routes.iter().map(String::as_str));
        let style = if graph.nodes[edge.to].kind == Kind::Denied { ", style=dashed" } else { "" };
        let _ = writeln!(
            dot,
            "  {} -> {} [label={label}{style}];",
            quoted([from.as_str()]),
            quoted([to.as_str()])
        );
    }
    dot.push_str("}\n");
    dot
}

/// A component may be called as another node is.
fn id(node: &Node) -> String {
    match node.kind {
        Kind::Component => format!("component {}", node.name),
        Kind::Anyone | Kind::Parent | Kind::Denied => node.name.clone(),
    }
}

/// Lines as one string of DOT, in which only quotes and backslashes mean something.
fn quoted<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let escaped: Vec<String> =
        lines.into_iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", escaped.join("\\n"))
}
