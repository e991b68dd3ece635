//! The graph as a picture.

use super::layout::{self, Link, Path, Place, Size};
use super::{Edge, Graph, Kind, Node};
use svg::Document;
use svg::node::element::path::Data;
use svg::node::element::{Group, Path as Curve, Polygon, Rectangle, Text, Title};

/// Sizes in pixels.
const MARGIN: f64 = 20.0;
const FONT: f64 = 12.0;
const LINE: f64 = 16.0;
const PADDING: f64 = 8.0;
const ARROW: f64 = 7.0;
/// What a letter of a monospaced font of this size takes at most; others than those of ASCII may be twice as wide.
const LETTER: f64 = 7.5;
/// Longer lines are cut. The whole is shown when the mouse rests there.
const MOST_LETTERS: usize = 48;

const INK: &str = "#222222";
const FAINT: &str = "#666666";
const LINES: &str = "#1f5fa8";
const FILL: &str = "#eef3f9";
const REFUSED: &str = "#b3261e";

/// Draws the graph.
pub(super) fn draw(graph: &Graph) -> String {
    let boxes: Vec<Size> = graph.nodes.iter().map(|node| padded(lines(node), PADDING)).collect();
    let links: Vec<Link> = graph.edges.iter().map(link).collect();
    let layout = layout::lay_out(&boxes, &links);
    let (width, height) = (layout.size.width + 2.0 * MARGIN, layout.size.height + 2.0 * MARGIN);
    let mut picture = Group::new().set("transform", format!("translate({MARGIN} {MARGIN})"));
    for (edge, path) in graph.edges.iter().zip(&layout.paths) {
        picture = picture.add(connection(edge, path, graph.nodes[edge.to].kind == Kind::Denied));
    }
    for (node, place) in graph.nodes.iter().zip(&layout.boxes) {
        picture = picture.add(labelled_box(node, place));
    }
    Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("width", width)
        .set("height", height)
        .set("font-family", "monospace")
        .set("font-size", FONT)
        .add(Rectangle::new().set("width", width).set("height", height).set("fill", "white"))
        .add(picture)
        .to_string()
}

fn link(edge: &Edge) -> Link {
    Link { from: edge.from, to: edge.to, text: padded(edge.routes.iter().map(String::as_str), PADDING / 2.0) }
}

fn lines(node: &Node) -> impl Iterator<Item = &str> {
    std::iter::once(&node.name).chain(&node.details).map(String::as_str)
}

/// What lines of text take, with a margin around them.
fn padded<'a>(lines: impl Iterator<Item = &'a str>, padding: f64) -> Size {
    let mut size = Size { width: 2.0 * padding, height: 2.0 * padding };
    for line in lines {
        size.width = size.width.max(text_width(&cut(line)) + 2.0 * padding);
        size.height += LINE;
    }
    size
}

fn text_width(line: &str) -> f64 {
    line.chars().map(|char| if char.is_ascii() { LETTER } else { 2.0 * LETTER }).sum()
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.into(),
    }
}

fn labelled_box(node: &Node, place: &Place) -> Group {
    let (stroke, fill) = match node.kind {
        Kind::Component => (LINES, FILL),
        Kind::Anyone | Kind::Parent => (FAINT, "white"),
        Kind::Denied => (REFUSED, "white"),
    };
    let mut outline = Rectangle::new()
        .set("x", place.x)
        .set("y", place.y)
        .set("width", place.size.width)
        .set("height", place.size.height)
        .set("fill", fill)
        .set("stroke", stroke)
        .set("rx", if node.kind == Kind::Component { 3.0 } else { place.size.height / 2.0 });
    if node.kind == Kind::Anyone {
        outline = outline.set("stroke-dasharray", "4 3");
    }
    let mut group = Group::new().set("class", "node").add(Title::new(node.name.as_str())).add(outline);
    for (index, line) in lines(node).enumerate() {
        let said = text(line, place, PADDING, index);
        group = group.add(if index == 0 { said.set("font-weight", "bold") } else { said.set("fill", FAINT) });
    }
    group
}

/// A line of text in the middle of a place.
fn text(line: &str, place: &Place, padding: f64, index: usize) -> Text {
    Text::new(cut(line))
        .set("x", place.x + place.size.width / 2.0)
        .set("y", place.y + padding + LINE * index as f64 + FONT)
        .set("text-anchor", "middle")
        .set("fill", INK)
}

fn connection(edge: &Edge, path: &Path, refused: bool) -> Group {
    let color = if refused { REFUSED } else { LINES };
    let mut group = Group::new().set("class", "edge").add(Title::new(edge.routes.join("\n")));
    for [(x, y), (to_x, to_y)] in &path.pieces {
        let middle = (x + to_x) / 2.0;
        let data = Data::new().move_to((*x, *y)).cubic_curve_to((middle, *y, middle, *to_y, *to_x, *to_y));
        let mut curve = Curve::new().set("d", data).set("fill", "none").set("stroke", color);
        if refused {
            curve = curve.set("stroke-dasharray", "4 3");
        }
        group = group.add(curve);
    }
    // A line has a piece at least, and leaves and reaches boxes horizontally.
    let (tip, back) = match (path.pieces.first(), path.pieces.last()) {
        (Some([start, _]), _) if path.backwards => (*start, ARROW),
        (_, Some([_, end])) => (*end, -ARROW),
        _ => return group,
    };
    let (x, y) = tip;
    let half = ARROW / 2.0;
    let corners = format!("{x},{y} {0},{1} {0},{2}", x + back, y - half, y + half);
    group = group.add(Polygon::new().set("points", corners).set("fill", color));
    for (index, line) in edge.routes.iter().enumerate() {
        group = group.add(text(line, &path.text, PADDING / 2.0, index));
    }
    group
}
