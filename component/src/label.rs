//! Labels: who asks for a session, and for what.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// The label of a session: a list of hops. Each parent on the way puts the name of the child that asked in front, so the first
/// hops say who asks, as far as the parents on the way know, and the last one is what the client itself has chosen.
///
/// Hops are never joined to be told apart again. A rule that is about who asks looks at the front: the tail is anybody's.
///
/// ```
/// use portcullis_component::{Label, LabelError};
///
/// let label = Label::of("kitchen lamp")?.within("house")?;
/// assert_eq!(label.to_string(), "house -> kitchen lamp");
/// assert_eq!(label.hops(), ["house", "kitchen lamp"]);
/// assert_eq!(label.last(), "kitchen lamp");
/// assert_eq!(Label::of("a -> b"), Err(LabelError::BadCharacter('>')));
/// # Ok::<_, LabelError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label(Vec<String>);

/// Why something is no label.
///
/// ```
/// use portcullis_component::{Label, LabelError};
///
/// let long = "x".repeat(Label::MAX_HOP + 1);
/// assert_eq!(Label::of(&long), Err(LabelError::HopTooLong { length: 65 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LabelError {
    /// A hop has no name.
    #[error("a hop of a label has at least one character: give it a name")]
    EmptyHop,
    /// A hop has too many bytes.
    #[error("a hop of a label has at most 64 bytes, and this has {length}: choose a shorter one")]
    HopTooLong {
        /// How many it has.
        length: usize,
    },
    /// There are too many hops.
    #[error("a label has at most 8 hops: the component lies too deep in the tree to ask so far up")]
    TooManyHops,
    /// All hops together have too many bytes.
    #[error("a label has at most 256 bytes, and this has {length}: choose shorter names on the way")]
    TooLong {
        /// How many they have.
        length: usize,
    },
    /// A hop has a character that it may not have.
    #[error("a hop of a label has no {0:?}: it is for reading in one line, and joined by arrows")]
    BadCharacter(char),
}

impl Label {
    /// The most bytes of a hop.
    pub const MAX_HOP: usize = 64;
    /// The most hops.
    pub const MAX_HOPS: usize = 8;
    /// The most bytes of all hops together.
    pub const MAX: usize = 256;

    /// The label that a client chooses. An empty text is the label without hops.
    ///
    /// # Errors
    /// As [`LabelError`] says.
    pub fn of(text: &str) -> Result<Label, LabelError> {
        Label::new(Some(text).filter(|text| !text.is_empty()))
    }

    /// The label of these hops, the outermost first; none at all is a label, too.
    ///
    /// # Errors
    /// As [`LabelError`] says.
    pub fn new<H: Into<String>>(hops: impl IntoIterator<Item = H>) -> Result<Label, LabelError> {
        // One more than there may be is enough to be too many.
        let label = Label(hops.into_iter().map(Into::into).take(Self::MAX_HOPS + 1).collect());
        label.check().map(|()| label)
    }

    /// The label as the parent of a child of that name passes it on.
    ///
    /// # Errors
    /// As [`LabelError`] says.
    pub fn within(mut self, child: &str) -> Result<Label, LabelError> {
        self.0.insert(0, child.to_owned());
        self.check().map(|()| self)
    }

    /// Its hops, the outermost first.
    #[must_use]
    pub fn hops(&self) -> &[String] {
        &self.0
    }

    /// The last hop, which the client chose if it chose any; empty if there is none.
    #[must_use]
    pub fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// Whether it keeps to the limits: what came from elsewhere need not.
    ///
    /// # Errors
    /// As [`LabelError`] says.
    pub fn check(&self) -> Result<(), LabelError> {
        if self.0.len() > Self::MAX_HOPS {
            return Err(LabelError::TooManyHops);
        }
        if self.0.iter().any(String::is_empty) {
            return Err(LabelError::EmptyHop);
        }
        if let Some(hop) = self.0.iter().find(|hop| hop.len() > Self::MAX_HOP) {
            return Err(LabelError::HopTooLong { length: hop.len() });
        }
        let length = self.0.iter().map(String::len).sum();
        if length > Self::MAX {
            return Err(LabelError::TooLong { length });
        }
        let bad = |character: &char| character.is_control() || *character == '>';
        match self.0.iter().flat_map(|hop| hop.chars()).find(bad) {
            Some(character) => Err(LabelError::BadCharacter(character)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" -> "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_exact() {
        assert!(Label::of(&"x".repeat(64)).is_ok());
        assert_eq!(Label::of(&"x".repeat(65)), Err(LabelError::HopTooLong { length: 65 }));
        let hop = "y".repeat(64);
        let four = (0..4).try_fold(Label::default(), |label, _| label.within(&hop)).unwrap();
        assert_eq!(four.clone().within("z"), Err(LabelError::TooLong { length: 257 }));
        let eight = (0..8).try_fold(Label::default(), |label, _| label.within("a")).unwrap();
        assert_eq!(eight.within("a"), Err(LabelError::TooManyHops));
    }

    #[test]
    fn a_child_cannot_pose_as_somebody_elses_child() {
        for posing in ["init -> log", "a>b", "line\nbreak", "\u{1b}[2J"] {
            assert!(matches!(Label::of(posing), Err(LabelError::BadCharacter(_))), "{posing:?}");
        }
        assert_eq!(Label::of("x").unwrap().within(""), Err(LabelError::EmptyHop));
        let label = Label::of("init").unwrap().within("guest").unwrap();
        assert_eq!(label.hops()[0], "guest");
    }
}
