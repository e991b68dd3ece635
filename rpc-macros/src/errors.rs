//! All that is wrong with a trait, collected.

use quote::ToTokens;
use std::fmt::Display;
use syn::Error;

/// Errors, each with the place that it is about.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds an error about `place`.
    pub(crate) fn add(&mut self, place: impl ToTokens, message: impl Display) {
        let error = Error::new_spanned(place, message);
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Adds an error about `place`, if there is one.
    pub(crate) fn add_if(&mut self, place: Option<impl ToTokens>, message: impl Display) {
        if let Some(place) = place {
            self.add(place, message);
        }
    }

    /// All of them as one.
    pub(crate) fn into_result(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), Err)
    }
}
