//! What can be written down as a method and cannot be called from elsewhere.

use crate::attributes;
use crate::errors::Errors;
use crate::model::{Interface, Method, NO_RESULT};
use crate::shape;
use crate::twin;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, Ident, Lifetime, PatType, Receiver, Safety, Type, TypeImplTrait, TypeReference};

/// Capabilities that a message holds.
const MOST_CAPABILITIES: usize = 4;
/// Serde knows tuples up to this length.
const MOST_ARGUMENTS: usize = 16;
/// The methods that every client has, by itself and by traits that are always in scope.
const OF_EVERY_CLIENT: [&str; 9] = [
    "with_deadline",
    "capability",
    "upcast",
    "clone",
    "clone_from",
    "clone_into",
    "to_owned",
    "into",
    "try_into",
];

/// Adds to the errors what is wrong with the interface.
pub(crate) fn check(interface: &Interface<'_>, errors: &mut Errors) {
    let item = interface.item;
    errors.add_if(item.unsafety, "an interface is no unsafe trait: a client keeps no promises");
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        errors.add(
            &item.generics,
            "an interface is not generic: its methods and their types are fixed when client and server are built",
        );
    }
    for method in &interface.methods {
        check_method(method, errors);
    }
    for (method, twin) in pairs(&interface.methods) {
        errors.add(
            twin.name,
            format_args!("`{}` is the name of the asynchronous twin of `{}`", twin.name.unraw(), method.name),
        );
    }
}

/// Methods, and others that are called as their twins are.
fn pairs<'a>(methods: &'a [Method<'a>]) -> impl Iterator<Item = (&'a Method<'a>, &'a Method<'a>)> {
    methods.iter().flat_map(move |method| {
        let twin = twin::name(method.name);
        methods.iter().filter(move |other| other.name.unraw() == twin).map(move |other| (method, other))
    })
}

fn check_method(method: &Method<'_>, errors: &mut Errors) {
    let signature = &method.item.sig;
    let name = method.name;
    if !signature.generics.params.is_empty() {
        // What else there may be to say is about types that the parameters stand for.
        return errors.add(
            &signature.generics,
            "a method of an interface is not generic: the server has one function for it, and borrows need no names",
        );
    }
    if shape::is_no_result(method.result) {
        errors.add(method.result, format_args!("`{name}` {NO_RESULT}"));
    }
    errors.add_if(signature.generics.where_clause.as_ref(), "a method of an interface has no conditions");
    errors.add_if(
        signature.asyncness,
        "a method of an interface is not `async`: it returns `Result`, or `Later` to answer when it likes",
    );
    errors.add_if(signature.constness, "a method of an interface is not `const`");
    errors.add_if(signature.abi.as_ref(), "a method of an interface has no ABI of its own");
    if let Safety::Unsafe(token) = &signature.safety {
        errors.add(token, "a method of an interface is not `unsafe`: a client keeps no promises");
    }
    errors.add_if(
        method.item.default.as_ref(),
        "a method of an interface has no default body: the client's would be a call and the server's this",
    );
    for attribute in conditions(&method.item.attrs) {
        errors
            .add(attribute, "a method must not come and go with the build: the opcodes after it would shift");
    }
    for argument in &signature.inputs {
        let (FnArg::Receiver(Receiver { attrs, .. }) | FnArg::Typed(PatType { attrs, .. })) = argument;
        for attribute in conditions(attrs) {
            errors.add(
                attribute,
                "an argument must not come and go with the build: client and server would disagree about the method",
            );
        }
    }
    let name = &name.unraw();
    if OF_EVERY_CLIENT.iter().any(|taken| name == taken) {
        errors.add(
            name,
            format_args!("every client has a method `{name}` of its own, which would be called instead"),
        );
    }
    if method.arguments.len() > MOST_ARGUMENTS {
        errors.add(
            &signature.inputs,
            "a method of an interface has at most 16 arguments: put them into a struct",
        );
    }
    let carried = method.arguments.iter().map(|argument| shape::capabilities(argument.ty));
    check_capabilities(carried.sum(), &signature.inputs, "arguments", errors);
    check_capabilities(shape::capabilities(method.result), method.result, "result", errors);
    for argument in &method.arguments {
        Types { errors, result: false }.visit_type(argument.ty);
    }
    Types { errors, result: true }.visit_type(method.result);
}

/// The attributes that depend on the build.
fn conditions(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes::carried(attributes, &["cfg", "cfg_attr"])
}

fn check_capabilities(count: usize, place: impl quote::ToTokens, what: &str, errors: &mut Errors) {
    if count > MOST_CAPABILITIES {
        errors.add(
            place,
            format_args!("{count} capabilities in the {what}: a message holds {MOST_CAPABILITIES}"),
        );
    }
}

/// Looks for what cannot cross in a type.
struct Types<'a> {
    errors: &'a mut Errors,
    result: bool,
}

impl<'ast> Visit<'ast> for Types<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        if self.result {
            self.errors
                .add(reference, "a result is not borrowed: nobody keeps what it would be borrowed from");
        } else if reference.mutability.is_some() {
            self.errors.add(reference, "an argument is not `&mut`: return what the method changes");
        } else if !shape::is_borrowable(&reference.elem) {
            self.errors.add(reference, "a borrowed argument is `&str` or `&[u8]`; take other types by value");
        } else {
            visit::visit_type_reference(self, reference);
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if self.result {
            self.errors
                .add(lifetime, "a result is not borrowed: nobody keeps what it would be borrowed from");
        } else if lifetime.ident != "_" {
            self.errors.add(lifetime, "an argument is borrowed for the call: leave its lifetime out");
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.errors
            .add(ty, "a type of an interface has a name: `impl Trait` is a type that only one side knows");
    }

    fn visit_ident(&mut self, ident: &'ast Ident) {
        if ident == "Self" {
            self.errors.add(ident, "`Self` is the object on one side and a client on the other: name a type");
        }
    }

    fn visit_type(&mut self, ty: &'ast Type) {
        // A `dyn Trait` says nothing of its lifetime bounds that would matter here.
        if !matches!(ty, Type::TraitObject(_)) {
            visit::visit_type(self, ty);
        }
    }
}
