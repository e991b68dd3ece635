//! The asynchronous twin of an interface: the trait beside it, which its clients implement, too.

use crate::expand::{arguments, opcode};
use crate::model::{Argument, Interface, Method};
use crate::shape;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Path};

/// What the twin of a method or of a trait is called after.
pub(crate) fn name(of: &Ident) -> Ident {
    let of = of.unraw();
    format_ident!("{of}_async", span = of.span())
}

fn name_of_trait(of: &Ident) -> Ident {
    let of = of.unraw();
    format_ident!("{of}Async", span = of.span())
}

/// The trait.
pub(crate) fn declare(interface: &Interface<'_>, krate: &Path) -> TokenStream {
    let (this, visibility) = (&interface.item.ident, &interface.item.vis);
    let twin = name_of_trait(this);
    let about = format!(
        "The asynchronous twin of [`{this}`]: a client implements it, too. Arguments are encoded at once, the call is \
         made when its future is polled, on whatever executor."
    );
    let methods = interface.methods.iter().map(|method| {
        let signature = signature(method, &quote!(#krate::__private::v1::Calling));
        let carried = carried(&method.item.attrs, &["doc", "allow", "deprecated"]);
        let about = format!("The asynchronous twin of [`{this}::{}`].", method.name.unraw());
        quote! {
            #(#carried)*
            #[doc = ""]
            #[doc = #about]
            #signature;
        }
    });
    let carried = carried(&interface.item.attrs, &["allow"]);
    quote! {
        #[doc = #about]
        #(#carried)*
        #[allow(dead_code)] // who calls no method so needs none of it
        #visibility trait #twin {
            #(#methods)*
        }
    }
}

/// Its implementation: the client of any interface that derives from this one implements it.
pub(crate) fn implement(interface: &Interface<'_>) -> TokenStream {
    let this = &interface.item.ident;
    let twin = name_of_trait(this);
    let methods = interface.methods.iter().enumerate().map(|(index, method)| {
        let (opcode, result) = (opcode(index), shape::of_result(method.result));
        let signature = signature(method, &quote!(__rpc::Calling));
        let call =
            quote_spanned!(method.result.span()=> __rpc::call::<__rpc::ByTask, __Derived, _, _, #result>);
        let arguments = arguments(method);
        quote! {
            #signature {
                #call(self, #opcode, #arguments)
            }
        }
    });
    quote! {
        impl<__Derived> #twin for __rpc::Client<__Derived>
        where
            __Derived: ?Sized + __rpc::Derives<dyn #this>,
        {
            #(#methods)*
        }
    }
}

/// The same arguments. What a method promises for later is what its twin's future waits for anyhow.
fn signature(method: &Method<'_>, future: &TokenStream) -> TokenStream {
    let (name, result) = (name(method.name), shape::promised(method.result));
    let arguments = method.arguments.iter().map(|Argument { name, ty }| quote!(#name: #ty));
    quote!(fn #name(&self, #(#arguments),*) -> #future<#result>)
}

/// The attributes of those names.
fn carried<'a>(attributes: &'a [Attribute], names: &'a [&str]) -> impl Iterator<Item = &'a Attribute> {
    attributes.iter().filter(|attribute| names.iter().any(|name| attribute.path().is_ident(name)))
}
