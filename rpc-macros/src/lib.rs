//! The attribute that makes an RPC interface of a trait. Use it through `portcullis_rpc` or `portcullis`.
//!
//! A trait goes through four steps, one module each: `parse` (the attribute's arguments), `model` (the trait as an
//! interface, as far as it can be one), `validate` (what the model allows and an interface does not), and `expand`
//! (the code; `twin` has that of the asynchronous twin). `shape` and `signature` look at the types on the way. All that is wrong with a trait is said at once
//! (`errors`).
#![forbid(unsafe_code)]

mod errors;
mod expand;
mod model;
mod parse;
mod shape;
mod signature;
mod twin;
mod validate;

use errors::Errors;
use proc_macro::TokenStream;
use quote::quote;
use syn::{ItemTrait, Path, parse_macro_input, parse_quote};

#[doc = include_str!("attribute.md")]
#[proc_macro_attribute]
pub fn rpc_interface(arguments: TokenStream, item: TokenStream) -> TokenStream {
    interface(arguments, item, parse_quote!(::portcullis_rpc))
}

// The same for who depends on the façade alone, which re-exports it as `rpc_interface`.
#[doc = include_str!("attribute.md")]
#[proc_macro_attribute]
pub fn rpc_interface_of_facade(arguments: TokenStream, item: TokenStream) -> TokenStream {
    interface(arguments, item, parse_quote!(::portcullis))
}

fn interface(arguments: TokenStream, item: TokenStream, krate: Path) -> TokenStream {
    let item = parse_macro_input!(item as ItemTrait);
    // The trait itself stays even so, that its users are not told that there is none.
    let code = code(arguments, &item, krate).unwrap_or_else(syn::Error::into_compile_error);
    quote!(#item #code).into()
}

fn code(arguments: TokenStream, item: &ItemTrait, krate: Path) -> syn::Result<proc_macro2::TokenStream> {
    let arguments: parse::Arguments = syn::parse(arguments)?;
    let mut errors = Errors::default();
    let interface = model::Interface::of(item, &mut errors);
    validate::check(&interface, &mut errors);
    errors.into_result()?;
    Ok(expand::code(&interface, &arguments.or(&item.ident, krate)))
}
