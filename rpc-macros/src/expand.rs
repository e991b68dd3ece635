//! The code for an interface.

use crate::model::{Argument, Interface, Method};
use crate::parse::Terms;
use crate::shape;
use crate::signature;
use crate::twin;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

/// What the trait gets besides itself. All names that are not the user's begin with two underscores.
pub(crate) fn code(interface: &Interface<'_>, terms: &Terms) -> TokenStream {
    let krate = &terms.krate;
    let (of_interface, checks) = (implement_interface(interface, &terms.name), checks(interface));
    let (serves, client) = (implement_serves(interface), implement_client(interface));
    let (twin, of_twin) = (twin::declare(interface, krate), twin::implement(interface));
    quote! {
        #twin
        #[doc(hidden)]
        #[allow(deprecated)] // that is for who calls a method, not for what makes it one
        const _: () = {
            use #krate::__private::v1 as __rpc;
            #of_interface
            #serves
            #client
            #of_twin
            #checks
        };
    }
}

/// The opcode of a method, as a constant's name.
pub(crate) fn opcode(index: usize) -> Ident {
    format_ident!("__OPCODE_{index}")
}

/// Name, methods and links, and what the interface derives from.
fn implement_interface(interface: &Interface<'_>, name: &str) -> TokenStream {
    let this = &interface.item.ident;
    let count = interface.methods.len();
    let names = interface.methods.iter().map(|method| method.name.unraw().to_string());
    let signatures = interface.methods.iter().map(signature::text);
    let opcodes = (0..count).map(opcode);
    let indices = 0..count;
    let (base_count, base_names, base_links, derives) = match interface.base {
        None => (quote!(0), quote!(&[]), quote!(&[]), TokenStream::new()),
        Some(base) => {
            let derives = quote_spanned! {base.span()=>
                impl<__Base: ?Sized> __rpc::Derives<__Base> for dyn #this
                where
                    dyn #base: __rpc::Derives<__Base>,
                {
                }
            };
            let base = quote_spanned!(base.span()=> <dyn #base as __rpc::Interface>);
            (quote!(#base::CHAIN.len()), quote!(#base::METHODS), quote!(#base::CHAIN), derives)
        }
    };
    quote! {
        const __BASE: usize = #base_count;
        const __COUNT: usize = __BASE + #count;
        #(const #opcodes: usize = __BASE + #indices;)*
        impl __rpc::Interface for dyn #this {
            const NAME: &'static str = #name;
            const METHODS: &'static [&'static str] = &__rpc::methods::<__COUNT>(#base_names, &[#(#names),*]);
            const CHAIN: &'static [u64] =
                &__rpc::chain::<__COUNT>(#base_links, <Self as __rpc::Interface>::NAME, &[#(#signatures),*]);
        }
        impl __rpc::Derives<dyn #this> for dyn #this {}
        #derives
    }
}

/// The dispatcher.
fn implement_serves(interface: &Interface<'_>) -> TokenStream {
    let this = &interface.item.ident;
    let of_base = interface.base.map(|base| {
        let dispatch = quote_spanned!(base.span()=> <dyn #base as __rpc::Serves<__Object>>::dispatch);
        // No range: a base without methods would make it an empty one, which is no pattern.
        quote!(__opcode if __opcode < __BASE => #dispatch(__object, __opcode, __request, __reply),)
    });
    let arms = interface.methods.iter().enumerate().map(|(index, method)| {
        let (opcode, name, result) = (opcode(index), method.name, shape::of_result(method.result));
        let values: Vec<_> = (0..method.arguments.len()).map(|index| format_ident!("__{index}")).collect();
        let shapes = method.arguments.iter().map(|argument| shape::of_argument(argument.ty));
        // A local's name means what it means where the attribute stands, and the method's may come from elsewhere.
        let request = quote!(__request);
        let decode = quote_spanned!(name.span()=> __rpc::decode(#request));
        let send = quote_spanned!(method.result.span()=> __rpc::Answer::<#result>::send);
        quote! {
            #opcode => {
                let (#(#values,)*): (#(__rpc::As<_, #shapes>,)*) =
                    #decode.map_err(|_| __rpc::Refusal::Malformed)?;
                #send(<__Object as #this>::#name(__object, #(#values.value),*), __reply)
            }
        }
    });
    quote! {
        impl<__Object: ?Sized + #this> __rpc::Serves<__Object> for dyn #this {
            #[inline]
            fn dispatch(
                __object: &mut __Object,
                __opcode: usize,
                __request: &mut __rpc::MsgBuf,
                __reply: &mut __rpc::MsgBuf,
            ) -> ::core::result::Result<__rpc::Outcome, __rpc::Refusal> {
                match __opcode {
                    #of_base
                    #(#arms)*
                    _ => ::core::result::Result::Err(__rpc::Refusal::UnknownMethod),
                }
            }
        }
    }
}

/// The proxy: the client of any interface that derives from this one implements it.
fn implement_client(interface: &Interface<'_>) -> TokenStream {
    let this = &interface.item.ident;
    let of_base = interface.base.map(|base| quote!(__rpc::Client<__Derived>: #base,));
    let methods = interface.methods.iter().enumerate().map(|(index, method)| {
        let (opcode, signature, result) = (opcode(index), &method.item.sig, shape::of_result(method.result));
        // Here the compiler finds out about result types that cannot report a failure: it should point at them.
        let call =
            quote_spanned!(method.result.span()=> __rpc::call::<__rpc::Blocking, __Derived, _, _, #result>);
        let receiver = method.item.sig.receiver().map(|receiver| receiver.self_token);
        let arguments = arguments(method);
        quote! {
            #signature {
                #call(#receiver, #opcode, #arguments)
            }
        }
    });
    quote! {
        impl<__Derived> #this for __rpc::Client<__Derived>
        where
            __Derived: ?Sized + __rpc::Derives<dyn #this>,
            #of_base
        {
            #(#methods)*
        }
    }
}

/// The arguments of a method in their shapes, as one value.
pub(crate) fn arguments(method: &Method<'_>) -> TokenStream {
    let arguments = method.arguments.iter().map(|Argument { name, ty }| {
        let shape = shape::of_argument(ty);
        quote_spanned!(ty.span()=> __rpc::As::<_, #shape>::new(#name),)
    });
    quote!(&(#(#arguments)*))
}

/// Whether what has a known size fits: the compiler has to find that out.
fn checks(interface: &Interface<'_>) -> TokenStream {
    let of = &interface.item.ident;
    let checks = interface.methods.iter().map(|method| {
        let name = method.name;
        let arguments = fit(
            0,
            method.arguments.iter().map(|argument| argument.ty),
            name.span(),
            &format!("the arguments of `{of}::{name}` can take more than the 1024 bytes of a message"),
        );
        let result = fit(
            // Says that it is a success.
            1,
            shape::success(method.result).into_iter(),
            name.span(),
            &format!("the result of `{of}::{name}` can take more than the 1024 bytes of a message"),
        );
        quote!(#arguments #result)
    });
    checks.collect()
}

/// A check that values of these types fit into a message beside `head` bytes, as far as their sizes are known.
fn fit<'a>(
    head: usize,
    types: impl Iterator<Item = &'a syn::Type>,
    place: Span,
    message: &str,
) -> TokenStream {
    let sizes: Vec<_> = types.map(|ty| quote!(__rpc::Size::<#ty>::MAX)).collect();
    if sizes.is_empty() {
        return TokenStream::new();
    }
    quote_spanned! {place=>
        const _: () = {
            #[allow(unused_imports)] // if all sizes are known
            use __rpc::UnknownSize as _;
            assert!(__rpc::fits(#head, &[#(#sizes),*]), #message);
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Errors;
    use quote::ToTokens;

    /// The code as text in which spacing does not count, nor a comma before a closing bracket.
    fn text(code: impl ToTokens) -> String {
        let mut text = String::new();
        signature::write(code.to_token_stream(), &mut text);
        [",)", ",]", ",}"].iter().fold(text, |text, end| text.replace(end, &end[1..]))
    }

    #[test]
    fn the_docs_show_what_is_made() {
        let page = include_str!("../../docs/rpc.md");
        let mut blocks = page.split("```rust\n").map(|rest| rest.split("```").next().unwrap_or(rest));
        let block = blocks.find(|block| block.contains("__private")).expect("one shows it");
        let syn::File { items, .. } = syn::parse_str(block).expect("the block is Rust");
        let find = |item: &syn::Item| match item {
            syn::Item::Trait(item) => Some(item.clone()),
            _ => None,
        };
        let item = items.iter().find_map(find).expect("the trait as it is written");
        let terms = Terms { name: "log".into(), krate: syn::parse_quote!(::portcullis) };
        let mut errors = Errors::default();
        let made = text(code(&Interface::of(&item, &mut errors), &terms));
        errors.into_result().expect("the trait is an interface");

        let mut shown = Vec::new();
        for item in &items {
            let attributes = match item {
                syn::Item::Const(item) => {
                    let syn::Expr::Block(body) = &*item.expr else { continue };
                    shown.extend(body.block.stmts.iter().map(text));
                    &item.attrs
                }
                syn::Item::Trait(item) => &item.attrs,
                _ => continue,
            };
            let said = |attribute: &&syn::Attribute| matches!(attribute.meta, syn::Meta::NameValue(_));
            shown.extend(attributes.iter().filter(|attribute| !said(attribute)).map(text));
        }
        assert!(shown.len() >= 7 + 4, "all but the checks");
        for part in shown {
            assert!(made.contains(&part), "not made:\n{part}\nbut:\n{made}");
        }
    }
}
