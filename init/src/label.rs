//! Labels of sessions: lists of hops.
//!
//! A label is a list and no text: so no hop can pretend to be two, whatever characters it has. A client says a label of its
//! own, and each parent on the way puts the name of the child before it from which the request came. What comes
//! first is thus what those nearest to the server vouch for, and the tail is whatever the client liked to say.

use crate::name::Name;
use std::fmt;
use thiserror::Error;

/// The most hops of a label.
pub const MOST_HOPS: usize = 16;
/// The most bytes of a hop.
pub const LONGEST_HOP: usize = 64;

/// Why something is no label.
///
/// ```
/// use portcullis_init::{Label, LabelError};
///
/// assert_eq!(Label::new(["two\nlines"]), Err(LabelError::Character('\n')));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LabelError {
    /// More than [`MOST_HOPS`].
    #[error("it has more than {MOST_HOPS} hops")]
    TooManyHops,
    /// A hop with nothing in it.
    #[error("a hop has one character at least")]
    EmptyHop,
    /// A hop of more than [`LONGEST_HOP`] bytes.
    #[error("a hop has {0} bytes, {LONGEST_HOP} are the most")]
    HopTooLong(usize),
    /// A character that would spoil logs and pictures.
    #[error("a hop has the control character {0:?}")]
    Character(char),
}

/// What a session is for, as a list of hops.
///
/// ```
/// use portcullis_init::Label;
///
/// let said = Label::new(["terminal"])?;
/// let label = said.within(&"shell".parse().unwrap())?;
/// assert_eq!(label.hops(), ["shell", "terminal"]);
/// assert_eq!(label.to_string(), "shell -> terminal");
/// # Ok::<_, portcullis_init::LabelError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Vec<String>);

impl Label {
    /// The label of these hops; none at all is a label, too.
    ///
    /// # Errors
    /// [`LabelError`] if there are too many, or one is not as hops are.
    pub fn new<H: Into<String>>(hops: impl IntoIterator<Item = H>) -> Result<Label, LabelError> {
        let mut label = Label::default();
        for hop in hops {
            let hop = hop.into();
            if label.0.len() == MOST_HOPS {
                return Err(LabelError::TooManyHops);
            }
            if hop.is_empty() {
                return Err(LabelError::EmptyHop);
            }
            if hop.len() > LONGEST_HOP {
                return Err(LabelError::HopTooLong(hop.len()));
            }
            if let Some(char) = hop.chars().find(|char| char.is_control()) {
                return Err(LabelError::Character(char));
            }
            label.0.push(hop);
        }
        Ok(label)
    }

    /// This label as the parent of `child` passes it on: the child's name goes before it.
    ///
    /// # Errors
    /// [`LabelError::TooManyHops`] if there is no room for one more.
    pub fn within(&self, child: &Name) -> Result<Label, LabelError> {
        if self.0.len() == MOST_HOPS {
            return Err(LabelError::TooManyHops);
        }
        Ok(Label(std::iter::once(child.as_str().into()).chain(self.0.iter().cloned()).collect()))
    }

    /// The hops, the one nearest to the server first.
    #[must_use]
    pub fn hops(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Label {
    /// For people. A hop that could be taken for something else stands in quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '/' | ':');
        for (index, hop) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " -> " })?;
            if hop.chars().all(plain) && !hop.starts_with('-') {
                f.write_str(hop)?;
            } else {
                write!(f, "{hop:?}")?;
            }
        }
        Ok(())
    }
}

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
            LabelPattern::Prefix(label) => said.0.starts_with(&label.0),
            LabelPattern::Suffix(label) => said.0.ends_with(&label.0),
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
            LabelPattern::Exact(label) if label.0.is_empty() => f.write_str("no label"),
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
            let longest: Vec<Label> = all.iter().filter(|label| label.0.len() == length).cloned().collect();
            all.extend(longest.iter().flat_map(|label| {
                hops.iter().map(|hop| Label(label.0.iter().cloned().chain([(*hop).into()]).collect()))
            }));
        }
        all
    }

    #[test]
    fn what_is_no_label() {
        assert_eq!(Label::new(["x"; MOST_HOPS + 1]), Err(LabelError::TooManyHops));
        assert_eq!(Label::new([""]), Err(LabelError::EmptyHop));
        assert_eq!(Label::new(["x".repeat(65)]), Err(LabelError::HopTooLong(65)));
        assert_eq!(Label::new(["\u{85}"]), Err(LabelError::Character('\u{85}')));
        let full = Label::new(["x"; MOST_HOPS]).unwrap();
        assert_eq!(full.within(&"a".parse().unwrap()), Err(LabelError::TooManyHops));
    }

    #[test]
    fn no_hop_looks_like_two() {
        assert_ne!(label(&["a -> b"]), label(&["a", "b"]));
        assert_eq!(label(&["a -> b"]).to_string(), "\"a -> b\"");
        assert_eq!(label(&["a", "b"]).to_string(), "a -> b");
        assert!(!LabelPattern::Suffix(label(&["b"])).matches(&label(&["a -> b"])));
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
            .filter(|pattern| !matches!(pattern, LabelPattern::Prefix(l) | LabelPattern::Suffix(l) if l.0.is_empty()))
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
