//! The trait as an interface: its base and its methods, in order.

use crate::errors::Errors;
use syn::{
    FnArg, Ident, ItemTrait, Pat, Path, ReceiverKind, ReturnType, TraitItem, TraitItemFn, Type,
    TypeParamBound,
};

/// What is wrong with a method that does not return a result.
pub(crate) const NO_RESULT: &str =
    "cannot report that the server died: return `Result<T, E>` where `E: From<portcullis_rpc::Error>`";

/// An interface, as far as the trait can be one.
pub(crate) struct Interface<'a> {
    pub(crate) item: &'a ItemTrait,
    pub(crate) base: Option<&'a Path>,
    /// A method's place is its opcode, counted from the end of the base.
    pub(crate) methods: Vec<Method<'a>>,
}

/// A method.
pub(crate) struct Method<'a> {
    pub(crate) item: &'a TraitItemFn,
    pub(crate) name: &'a Ident,
    pub(crate) arguments: Vec<Argument<'a>>,
    pub(crate) result: &'a Type,
}

/// An argument of a method.
pub(crate) struct Argument<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) ty: &'a Type,
}

impl<'a> Interface<'a> {
    /// Reads the trait, and adds to the errors what cannot be part of an interface.
    pub(crate) fn of(item: &'a ItemTrait, errors: &mut Errors) -> Self {
        let methods = item.items.iter().filter_map(|item| method(item, errors)).collect();
        Interface { item, base: base(item, errors), methods }
    }
}

fn base<'a>(item: &'a ItemTrait, errors: &mut Errors) -> Option<&'a Path> {
    let mut base = None;
    for bound in &item.supertraits {
        match bound {
            TypeParamBound::Trait(bound) if bound.maybe.is_some() || bound.lifetimes.is_some() => {
                errors.add(bound, "an interface derives from a plain interface, or from none");
            }
            TypeParamBound::Trait(bound) if base.is_none() => base = Some(&bound.path),
            TypeParamBound::Lifetime(bound) => errors.add(
                bound,
                "an interface is `'static` without saying so, and has no other lifetime: leave the bound out",
            ),
            _ => errors.add(
                bound,
                "an interface has one base: put this into another interface and hand out a capability to that",
            ),
        }
    }
    base
}

fn method<'a>(item: &'a TraitItem, errors: &mut Errors) -> Option<Method<'a>> {
    let item = match item {
        TraitItem::Fn(item) => item,
        TraitItem::Type(item) => {
            errors.add(
                item,
                "an interface has no associated types: client and server must agree on the type itself",
            );
            return None;
        }
        TraitItem::Const(item) => {
            errors.add(item, "an interface has no associated constants: a client cannot ask for one");
            return None;
        }
        other => {
            errors.add(
                other,
                "an interface has methods only, written out, since their order gives their opcodes",
            );
            return None;
        }
    };
    let name = &item.sig.ident;
    receiver(item, errors);
    let arguments = item.sig.inputs.iter().filter_map(|input| argument(input, errors)).collect();
    let ReturnType::Type(_, result) = &item.sig.output else {
        errors.add(&item.sig, format_args!("`{name}` {NO_RESULT}"));
        return None;
    };
    Some(Method { item, name, arguments, result })
}

fn receiver(item: &TraitItemFn, errors: &mut Errors) {
    let Some(receiver) = item.sig.receiver() else {
        return errors
            .add(&item.sig, "a method is called on an object: its first argument is `&mut self` or `&self`");
    };
    if !matches!(receiver.kind, ReceiverKind::Reference(..)) {
        errors.add(
            receiver,
            "a call does not use up its object, others may hold it too: take `&mut self` or `&self`",
        );
    }
}

fn argument<'a>(input: &'a FnArg, errors: &mut Errors) -> Option<Argument<'a>> {
    let FnArg::Typed(input) = input else { return None };
    match &*input.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.mutability.is_none() && pat.subpat.is_none() => {
            Some(Argument { name: &pat.ident, ty: &input.ty })
        }
        pattern => {
            errors.add(pattern, "an argument of an interface's method has a plain name");
            None
        }
    }
}
