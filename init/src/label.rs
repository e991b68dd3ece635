//! Which labels a route is for.
//!
//! A label is a list and no text: so no hop can pretend to be two, whatever characters it has. A client says a label of its
//! own, and each parent on the way puts the name of the child before it from which the request came. What comes
//! first is thus what those nearest to the server vouch for, and the tail is whatever the client liked to say.

use portcullis_component::Label;
use std::fmt;

/// Which labels a route is for. It is held against what the client said, without the name that its parent put before.
///
/// So no pattern identifies a requester by its tail, which every client chooses itself.
///
/// ```
/// use portcullis_init::{Label, LabelPattern};
///
/// let below_net = LabelPattern::Prefix(Label::new(["net"])?);
/// assert!(below_net.matches(&Label::new(["net", "eth0"])?));
/// assert!(!below_net.matches(&Label::new(["network"])?), "hops are whole");
/// assert!(LabelPattern::Any.covers(&below_net));
/// # Ok::<_, portcullis_init::LabelError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum LabelPattern {
    /// Every label.
    #[default]
    Any,
    /// This label alone.
    Exact(Label),
    /// Those that begin with these hops.
    Prefix(Label),
    /// Those that end with these hops.
    Suffix(Label),
}

impl LabelPattern {
    /// Whether it is for a label.
    #[must_use]
    pub fn matches(&self, said: &Label) -> bool {
        match self {
            LabelPattern::Any => true,
            LabelPattern::Exact(label) => label == said,
            LabelPattern::Prefix(label) => said.hops().starts_with(label.hops()),
            LabelPattern::Suffix(label) => said.hops().ends_with(label.hops()),
        }
    }

    /// Whether it is for every label that `other` is for.
    ///
    /// Several patterns together cover no more than one of them does alone, since hops can be anything: so it is
    /// enough to ask one by one.
    #[must_use]
    pub fn covers(&self, other: &LabelPattern) -> bool {
        match (self, other) {
            (LabelPattern::Any, _) => true,
            (_, LabelPattern::Exact(label)) => self.matches(label),
            (LabelPattern::Prefix(_), LabelPattern::Prefix(label))
            | (LabelPattern::Suffix(_), LabelPattern::Suffix(label)) => self.matches(label),
            _ => false,
        }
    }
}

impl fmt::Display for LabelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabelPattern::Any => f.write_str("any label"),
            LabelPattern::Exact(label) if label.hops().is_empty() => f.write_str("no label"),
            LabelPattern::Exact(label) => write!(f, "{label}"),
            LabelPattern::Prefix(label) => write!(f, "{label} -> *"),
            LabelPattern::Suffix(label) => write!(f, "* -> {label}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(hops: &[&str]) -> Label {
        Label::new(hops.iter().copied()).unwrap()
    }

    /// All labels of up to `most` hops.
    fn labels(hops: &[&str], most: usize) -> Vec<Label> {
        let mut all = vec![Label::default()];
        for length in 0..most {
            let longest: Vec<Label> =
                all.iter().filter(|label| label.hops().len() == length).cloned().collect();
            all.extend(longest.iter().flat_map(|label| {
                hops.iter().map(|hop| {
                    let more = label.hops().iter().cloned().chain([(*hop).into()]);
                    Label::new(more.collect::<Vec<String>>()).unwrap()
                })
            }));
        }
        all
    }

    #[test]
    fn hops_are_whole() {
        assert!(!LabelPattern::Prefix(label(&["net"])).matches(&label(&["network"])));
        assert!(!LabelPattern::Suffix(label(&["net"])).matches(&label(&["subnet"])));
        assert!(!LabelPattern::Prefix(label(&["a", "b"])).matches(&label(&["a", "bc"])));
    }

    /// Every pattern of up to two hops against every other, on labels that have a hop more that no pattern knows.
    #[test]
    fn covers_is_what_matching_says() {
        let all = labels(&["a", "b", "elsewhere"], 5);
        let kinds = [LabelPattern::Exact, LabelPattern::Prefix, LabelPattern::Suffix];
        let known = labels(&["a", "b"], 2);
        let patterns: Vec<LabelPattern> = kinds
            .iter()
            .flat_map(|kind| known.iter().cloned().map(kind))
            .filter(|pattern| !matches!(pattern, LabelPattern::Prefix(l) | LabelPattern::Suffix(l) if l.hops().is_empty()))
            .chain([LabelPattern::Any])
            .collect();
        for one in &patterns {
            for other in &patterns {
                let covers = all.iter().all(|label| !other.matches(label) || one.matches(label));
                assert_eq!(one.covers(other), covers, "{one} covers {other}");
            }
        }
    }
}
