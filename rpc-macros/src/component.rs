//! The attribute that makes a program of a component's `construct`.

use crate::errors::Errors;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{FnArg, ItemFn, Path, Result, Safety, Token};

/// `crate = path`, or nothing.
pub(crate) struct Arguments(Option<Path>);

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Ok(Arguments(None));
        }
        if !input.peek(Token![crate]) {
            return Err(input.error("expected `crate = path` or nothing"));
        }
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        let path = Path::parse_mod_style(input)?;
        if input.is_empty() {
            Ok(Arguments(Some(path)))
        } else {
            Err(input.error("nothing comes after the path"))
        }
    }
}

/// The `main` that runs the function; `run` is the path of what does it unless the arguments say where the façade is.
pub(crate) fn main(arguments: Arguments, construct: &ItemFn, run: TokenStream) -> Result<TokenStream> {
    let mut errors = Errors::default();
    check(construct, &mut errors);
    errors.into_result()?;
    let run = arguments.0.map_or(run, |facade| quote!(#facade::component::run));
    let construct = &construct.sig.ident;
    Ok(quote! {
        fn main() -> ::std::process::ExitCode {
            #run(#construct)
        }
    })
}

fn check(construct: &ItemFn, errors: &mut Errors) {
    let signature = &construct.sig;
    if signature.ident == "main" {
        errors.add(&signature.ident, "the attribute makes the `main`: call this function `construct`");
    }
    errors.add_if(
        signature.asyncness.as_ref(),
        "`construct` is called before there is an executor: start one within, or use an entrypoint's tasks",
    );
    errors
        .add_if(signature.constness.as_ref(), "`construct` runs when the component does: leave `const` away");
    if let Safety::Unsafe(token) = &signature.safety {
        errors.add(token, "nobody promises `construct` anything: leave `unsafe` away");
    }
    errors.add_if(signature.abi.as_ref(), "`construct` is called from Rust: leave `extern` away");
    if !signature.generics.params.is_empty() {
        errors.add(&signature.generics, "`construct` is called with one environment: it cannot be generic");
    }
    match signature.inputs.iter().collect::<Vec<_>>()[..] {
        [FnArg::Typed(_)] => {}
        [] => errors.add(&signature.ident, "a component has nothing but its environment: take `env: Env`"),
        [FnArg::Receiver(receiver)] => {
            errors.add(receiver, "there is no object yet: take `env: Env` alone");
        }
        _ => errors.add(
            &signature.inputs,
            "a component is given nothing but its environment: take `env: Env` alone",
        ),
    }
}
