//! The attributes: `rpc_interface` makes an RPC interface of a trait, `component` a program of a function (`component`). Use
//! them through `portcullis_rpc`, `portcullis_component` or `portcullis`.
//!
//! A trait goes through four steps, one module each: `parse` (the attribute's arguments), `model` (the trait as an
//! interface, as far as it can be one), `validate` (what the model allows and an interface does not), and `expand`
//! (the code; `twin` has that of the asynchronous twin). `shape` and `signature` look at the types on the way,
//! `attributes` at the attributes. All that is wrong with a trait is said at once (`errors`).
#![forbid(unsafe_code)]

mod attributes;
mod component;
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
use syn::{ItemFn, ItemTrait, Path, parse_macro_input, parse_quote};

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

#[doc = include_str!("component.md")]
#[proc_macro_attribute]
pub fn component(arguments: TokenStream, item: TokenStream) -> TokenStream {
    program(arguments, item, quote!(::portcullis_component::run))
}

// The same for who depends on the façade alone, which re-exports it as `component`.
#[doc = include_str!("component.md")]
#[proc_macro_attribute]
pub fn component_of_facade(arguments: TokenStream, item: TokenStream) -> TokenStream {
    program(arguments, item, quote!(::portcullis::component::run))
}

fn program(arguments: TokenStream, item: TokenStream, run: proc_macro2::TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemFn);
    let code = syn::parse(arguments).and_then(|arguments| component::main(arguments, &item, run));
    // The function itself stays even so.
    let code = code.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#error fn main() {})
    });
    if item.sig.ident == "main" {
        return code.into();
    }
    // The environment is given away whatever the function does with it.
    quote!(#[allow(clippy::needless_pass_by_value)] #item #code).into()
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
