//! The graph has every component and every route, in both languages, whatever labels hold.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod support;

use portcullis_init::{Composition, Graph};
use proptest::prelude::*;
use support::file;

proptest! {
    #[test]
    fn dot_has_every_component_and_route(file in file()) {
        let file = file.reachable();
        let dot = Graph::of(&Composition::parse(file.text().0).unwrap()).dot();
        for component in &file.components {
            let start = format!("  \"component {}\" [label=\"{}\\n", component.name, component.name);
            prop_assert_eq!(dot.lines().filter(|line| line.starts_with(&start)).count(), 1, "{}", dot);
        }
        let id = |name: &str| if name.len() == 1 { format!("component {name}") } else { name.into() };
        for rule in &file.routes {
            let edge = format!("  \"{}\" -> \"{}\" [label=\"", id(rule.from.unwrap_or("any component")), id(rule.to));
            let lines: Vec<&str> = dot.lines().filter(|line| line.starts_with(&edge)).collect();
            prop_assert_eq!(lines.len(), 1, "one for all routes of a pair: {}", dot);
            let routes = lines[0].strip_prefix(&edge).unwrap().split('"').next().unwrap();
            prop_assert!(routes.split("\\n").any(|route| route.starts_with(rule.service)), "{}", dot);
        }
    }

    /// A letter of a monospaced font is 0.6 of its size wide, or a little more.
    #[test]
    fn text_fits_into_its_box(file in file()) {
        const LETTER: f64 = 0.61 * 12.0;
        let file = file.reachable();
        let svg = Graph::of(&Composition::parse(file.text().0).unwrap()).svg();
        let nodes: Vec<&str> = svg.split("<g class=\"node\">").skip(1).collect();
        prop_assert!(nodes.len() >= file.components.len());
        for node in nodes {
            let (_, width) = node.split_once(" width=\"").unwrap();
            let width: f64 = width.split('"').next().unwrap().parse().unwrap();
            let lines = node.lines().filter(|line| !line.starts_with('<'));
            let longest = lines.map(|line| line.chars().count()).max().unwrap();
            prop_assert!(longest as f64 * LETTER < width, "{}", node);
        }
    }

    /// A label, which has no >, has a place of its own in XML, and in a string of DOT.
    #[test]
    fn whatever_a_label_holds_it_is_text(hop in "[^\\p{Cc}>]{1,16}") {
        let mut label = String::new();
        hop.chars().for_each(|char| label.push_str(&format!("\\U{:08x}", u32::from(char))));
        let text = format!(
            "[[component]]\nname = 'a'\nbinary = 'a'\nram = 1\ncaps = 1\n\
             [[route]]\nfrom = 'a'\nservice = 'S'\nto = 'parent'\nlabel = \"{label}\"\n"
        );
        let graph = Graph::of(&Composition::parse(text).unwrap());

        let svg = graph.svg();
        let tags = svg.matches('<').count();
        let plain = svg.matches("<g").count() + svg.matches("</").count() + svg.matches("<text").count()
            + svg.matches("<title").count() + svg.matches("<rect").count() + svg.matches("<path").count()
            + svg.matches("<polygon").count() + svg.matches("<svg").count();
        prop_assert_eq!(tags, plain, "no tag but ours: {}", svg);
        let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"];
        prop_assert_eq!(svg.matches('&').count(), entities.map(|entity| svg.matches(entity).count()).iter().sum::<usize>());

        // Outside of strings there are only our words.
        let dot = graph.dot();
        let line = dot.lines().find(|line| line.contains(" -> \"parent\"")).unwrap();
        let (mut outside, mut within, mut escaped) = (String::new(), false, false);
        for char in line.chars() {
            match char {
                _ if escaped => escaped = false,
                '\\' if within => escaped = true,
                '"' => within = !within,
                char if !within => outside.push(char),
                _ => {}
            }
        }
        prop_assert_eq!((outside.as_str(), within), ("   ->  [label=];", false), "{}", line);
    }
}
