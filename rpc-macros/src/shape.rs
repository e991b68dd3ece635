//! What a type's text says of its way through a message: where bytes are, and capabilities. A raw name is the same name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Expr, GenericArgument, Ident, Lit, PathArguments, Type};

/// The shape of a type, as tokens for the runtime's `shape` module; `None` for serde's own way.
fn bytes_within(ty: &Type) -> Option<TokenStream> {
    match ty {
        Type::Group(ty) => bytes_within(&ty.elem),
        Type::Paren(ty) => bytes_within(&ty.elem),
        Type::Reference(ty) => match &*ty.elem {
            Type::Slice(slice) if is(&slice.elem, "u8") => Some(quote!(__rpc::Bytes)),
            _ => None,
        },
        Type::Array(ty) if is(&ty.elem, "u8") => Some(quote!(__rpc::Bytes)),
        Type::Tuple(ty) => {
            let shapes: Vec<_> = ty.elems.iter().map(bytes_within).collect();
            if shapes.iter().all(Option::is_none) {
                return None;
            }
            let shapes = shapes.into_iter().map(or_plain);
            Some(quote!((#(#shapes,)*)))
        }
        Type::Path(_) => {
            let (name, arguments) = last(ty)?;
            let [first, ..] = arguments.as_slice() else { return None };
            if name == "Vec" && is(first, "u8") {
                return Some(quote!(__rpc::Bytes));
            }
            let around = match name.to_string().as_str() {
                "Vec" => quote!(Each),
                "Option" => quote!(Maybe),
                "Result" => quote!(Either),
                _ => return None,
            };
            let within = bytes_within(first)?;
            Some(quote!(__rpc::#around<#within>))
        }
        _ => None,
    }
}

fn or_plain(shape: Option<TokenStream>) -> TokenStream {
    shape.unwrap_or_else(|| quote!(__rpc::Plain))
}

/// The shape of an argument.
pub(crate) fn of_argument(ty: &Type) -> TokenStream {
    or_plain(bytes_within(ty))
}

/// The shape of a method's result; that of a later one is that of the result it brings.
pub(crate) fn of_result(ty: &Type) -> TokenStream {
    match success(ty) {
        Some(success) => {
            let within = or_plain(bytes_within(success));
            quote!(__rpc::Either<#within>)
        }
        // An alias, perhaps.
        None => or_plain(bytes_within(promised(ty))),
    }
}

/// The type that a method answers with if all goes well, if the text says so: `T` of `Result<T, E>`.
pub(crate) fn success(ty: &Type) -> Option<&Type> {
    match last(promised(ty))? {
        (name, arguments) if name == "Result" => arguments.first().copied(),
        _ => None,
    }
}

/// Whether a method's return type is surely none that could report a failure. Of other types, which may be aliases,
/// the compiler finds that out.
pub(crate) fn is_no_result(ty: &Type) -> bool {
    const SURELY: [&str; 21] = [
        "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
        "isize", "f32", "f64", "String", "Vec", "Option", "Box", "str",
    ];
    match last(ty) {
        Some((name, _)) => SURELY.iter().chain(&CAPABILITIES).any(|it| name == it),
        None => !matches!(
            ty,
            Type::Group(_) | Type::Paren(_) | Type::Macro(_) | Type::ImplTrait(_) | Type::Reference(_)
        ),
    }
}

/// `R` of `Later<R>`, any other type as it is.
pub(crate) fn promised(ty: &Type) -> &Type {
    match last(ty) {
        Some((name, arguments)) if name == "Later" => arguments.first().copied().unwrap_or(ty),
        _ => ty,
    }
}

/// Whether `&ty` can be borrowed from a message.
pub(crate) fn is_borrowable(ty: &Type) -> bool {
    match ty {
        Type::Slice(slice) => is(&slice.elem, "u8"),
        other => is(other, "str"),
    }
}

/// The types that are capabilities.
const CAPABILITIES: [&str; 3] = ["Capability", "SignalCapability", "DataspaceCapability"];

/// How many capabilities a value holds at most, as far as the text says.
pub(crate) fn capabilities(ty: &Type) -> usize {
    match ty {
        Type::Group(ty) => capabilities(&ty.elem),
        Type::Paren(ty) => capabilities(&ty.elem),
        Type::Tuple(ty) => ty.elems.iter().map(capabilities).sum(),
        Type::Array(ty) => capabilities(&ty.elem).saturating_mul(length(&ty.len)),
        Type::Path(_) => match last(ty) {
            Some((name, _)) if CAPABILITIES.iter().any(|it| name == it) => 1,
            Some((name, arguments)) if ["Option", "Result", "Later"].iter().any(|it| name == it) => {
                arguments.first().map_or(0, |first| capabilities(first))
            }
            _ => 0,
        },
        _ => 0,
    }
}

/// The length of an array, 1 if it is not written out.
fn length(length: &Expr) -> usize {
    match length {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().unwrap_or(1),
            _ => 1,
        },
        _ => 1,
    }
}

/// Whether the type is the primitive of that name.
fn is(ty: &Type, name: &str) -> bool {
    match ty {
        Type::Group(ty) => is(&ty.elem, name),
        Type::Paren(ty) => is(&ty.elem, name),
        Type::Path(ty) => {
            ty.qself.is_none() && ty.path.get_ident().is_some_and(|ident| ident.unraw() == name)
        }
        _ => false,
    }
}

/// The last name in a type's path, and the types that are its arguments.
fn last(ty: &Type) -> Option<(Ident, Vec<&Type>)> {
    let ty = match ty {
        Type::Group(ty) => return last(&ty.elem),
        Type::Paren(ty) => return last(&ty.elem),
        Type::Path(ty) => ty,
        _ => return None,
    };
    let segment = ty.path.segments.last()?;
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    Some((segment.ident.unraw(), arguments))
}
