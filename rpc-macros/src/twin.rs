//! The asynchronous twin of an interface: the trait beside it, which its clients implement, too.

use crate::attributes;
use crate::expand::{arguments, opcode};
use crate::model::{Argument, Interface, Method};
use crate::shape;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

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
    let (this, visibility) = (interface.item.ident.unraw(), &interface.item.vis);
    let twin = name_of_trait(&this);
    let about = format!(
        "The asynchronous twin of [`{this}`]: a client implements it, too. Arguments are encoded at once, the call is \
         made when its future is polled, on whatever executor."
    );
    let methods = interface.methods.iter().map(|method| {
        let signature = signature(method, &quote!(#krate::__private::v1::Calling));
        let carried = attributes::carried(&method.item.attrs, &["doc", "allow", "deprecated"]);
        let about = format!("The asynchronous twin of [`{this}::{}`].", method.name.unraw());
        quote! {
            #(#carried)*
            #[doc = ""]
            #[doc = #about]
            #signature;
        }
    });
    let hiding = attributes::hiding(&interface.item.attrs);
    let carried = attributes::carried(&interface.item.attrs, &["allow", "deprecated"]);
    quote! {
        #[doc = #about]
        #(#hiding)*
        #(#carried)*
        #[allow(dead_code)] // who calls no method so needs none of it
        #[allow(deprecated)] // who may name such types in the trait may do so here
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Errors;
    use syn::{ItemTrait, parse_quote};

    /// The attributes of a trait's twin, without what it says of itself.
    fn attributes_of_twin(item: &ItemTrait) -> Vec<String> {
        let mut errors = Errors::default();
        let twin = declare(&Interface::of(item, &mut errors), &parse_quote!(krate));
        errors.into_result().expect("the trait is an interface");
        let twin: ItemTrait = syn::parse2(twin).expect("the twin is a trait");
        let text = |attribute: &syn::Attribute| quote!(#attribute).to_string().replace(' ', "");
        twin.attrs.iter().map(text).filter(|text| !text.contains("twin")).collect()
    }

    #[test]
    fn a_twin_names_its_trait_as_the_documentation_does() {
        let mut errors = Errors::default();
        let item = parse_quote!(
            trait r#gen {
                fn r#match(&self) -> Result<u8, Error>;
            }
        );
        let twin = declare(&Interface::of(&item, &mut errors), &parse_quote!(krate)).to_string();
        errors.into_result().expect("the trait is an interface");
        assert!(twin.contains("[`gen`]") && twin.contains("[`gen::match`]"), "{twin}");
    }

    #[test]
    fn a_twin_is_hidden_and_deprecated_as_its_trait_is() {
        let plain = attributes_of_twin(&parse_quote! {
            /// What it is for, which is said there.
            #[must_use]
            trait Log {}
        });
        assert!(plain.iter().all(|attribute| attribute.starts_with("#[allow")));
        let old = attributes_of_twin(&parse_quote! {
            #[doc(hidden)]
            #[deprecated = "use another"]
            trait Log {}
        });
        let carried = ["#[doc(hidden)]", "#[deprecated=\"useanother\"]"].map(String::from);
        assert_eq!(old, [&carried[..], &plain].concat());
    }
}
