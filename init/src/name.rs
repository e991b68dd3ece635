//! What components and services are called.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The most bytes that a name has.
pub const LONGEST_NAME: usize = 64;

/// Why something is no name.
///
/// ```
/// use portcullis_init::{Name, NameError};
///
/// assert_eq!("a b".parse::<Name>(), Err(NameError::Character(' ')));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is nothing.
    #[error("a name has one character at least")]
    Empty,
    /// It is longer than [`LONGEST_NAME`].
    #[error("it has {0} bytes, a name has {LONGEST_NAME} at most")]
    TooLong(usize),
    /// It has a character that names do without, or begins with a mark.
    #[error("{0:?} is not allowed, or not as the first of a name")]
    Character(char),
    /// It means something else where names of components stand.
    #[error("'{0}' is where a route may lead, so no component has this name")]
    Reserved(String),
}

/// Names are short and plain: they stand in labels, in paths and in pictures.
fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > LONGEST_NAME {
        return Err(NameError::TooLong(text.len()));
    }
    let allowed = |(index, char): &(usize, char)| {
        char.is_ascii_alphanumeric() || (*index > 0 && matches!(char, '_' | '-' | '.'))
    };
    match text.char_indices().find(|char| !allowed(char)) {
        Some((_, char)) => Err(NameError::Character(char)),
        None => Ok(()),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, reserved $reserved:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                const RESERVED: &[&str] = &$reserved;
                check(text)?;
                if RESERVED.contains(&text) {
                    return Err(NameError::Reserved(text.into()));
                }
                Ok($name(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}
names! {
    /// What a component is called: unique among the children of one parent, and the hop that the parent puts before
    /// the labels of its sessions.
    ///
    /// ```
    /// let name: portcullis_init::Name = "shell".parse()?;
    /// assert_eq!(name.as_str(), "shell");
    /// assert!("parent".parse::<portcullis_init::Name>().is_err(), "routes lead there");
    /// # Ok::<_, portcullis_init::NameError>(())
    /// ```
    Name, reserved ["parent", "denied"];

    /// What a service is called, by those who provide it and by those who want a session.
    ///
    /// ```
    /// let service: portcullis_init::Service = "Log".parse()?;
    /// assert_eq!(service.to_string(), "Log");
    /// # Ok::<_, portcullis_init::NameError>(())
    /// ```
    Service, reserved [];
}

impl Name {
    /// What the parent of a composition is called where a route names its client.
    #[must_use]
    pub fn parent() -> Name {
        Name("parent".into())
    }

    /// Whether it is the parent's.
    #[must_use]
    pub fn is_parent(&self) -> bool {
        self.0 == "parent"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_name() {
        for name in ["a", "9", "shell", "tcp-ip_2.1", &"x".repeat(LONGEST_NAME)] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
            assert_eq!(name.parse::<Service>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_none() {
        let long = "x".repeat(LONGEST_NAME + 1);
        for (text, error) in [
            ("", NameError::Empty),
            (&long, NameError::TooLong(LONGEST_NAME + 1)),
            (".hidden", NameError::Character('.')),
            ("-o", NameError::Character('-')),
            ("a/b", NameError::Character('/')),
            ("a\0", NameError::Character('\0')),
            ("Maß", NameError::Character('ß')),
        ] {
            assert_eq!(text.parse::<Name>(), Err(error.clone()));
            assert_eq!(text.parse::<Service>(), Err(error));
        }
        assert_eq!("denied".parse::<Name>(), Err(NameError::Reserved("denied".into())));
    }
}
