//! Which of the user's attributes go over to what is made of the trait.

use proc_macro2::TokenTree;
use syn::{Attribute, Meta};

/// The attributes of those names.
pub(crate) fn carried<'a>(
    attributes: &'a [Attribute],
    names: &'a [&str],
) -> impl Iterator<Item = &'a Attribute> {
    attributes.iter().filter(|attribute| names.iter().any(|name| attribute.path().is_ident(name)))
}

/// The attributes that keep a trait out of the documentation.
pub(crate) fn hiding(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    carried(attributes, &["doc"]).filter(|attribute| match &attribute.meta {
        Meta::List(list) => list.tokens.clone().into_iter().any(is_hidden),
        _ => false,
    })
}

fn is_hidden(token: TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word == "hidden")
}
