//! A method's signature as text, the same on every machine and for every compiler: what the links are made of.

use crate::model::Method;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

/// The name and types of a method; the names of arguments are left out, since they may change.
pub(crate) fn text(method: &Method<'_>) -> String {
    let mut text = method.name.unraw().to_string();
    text.push('(');
    for argument in &method.arguments {
        write(argument.ty.to_token_stream(), &mut text);
        text.push(',');
    }
    text.push_str(")->");
    write(method.result.to_token_stream(), &mut text);
    text
}

/// Writes tokens with one space after each word: a compiler's own spacing differs from version to version. What has
/// to be written raw differs from edition to edition.
pub(crate) fn write(tokens: TokenStream, text: &mut String) {
    // A comma before a closing bracket may be there or not, but for the only one of a tuple.
    let (mut angles, mut commas) = (0_u32, 0_u32);
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => {
                match punct.as_char() {
                    '<' => angles += 1,
                    '>' => angles = angles.saturating_sub(1),
                    ',' if angles == 0 => commas += 1,
                    _ => {}
                }
                let may_be_left_out = match tokens.peek() {
                    None => commas != 1,
                    Some(TokenTree::Punct(next)) => next.as_char() == '>',
                    Some(_) => false,
                };
                if punct.as_char() != ',' || !may_be_left_out {
                    text.push(punct.as_char());
                }
            }
            TokenTree::Ident(word) => {
                text.push_str(&word.unraw().to_string());
                text.push(' ');
            }
            TokenTree::Literal(literal) => {
                text.push_str(&literal.to_string());
                text.push(' ');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(source: &str) -> String {
        let mut text = String::new();
        write(source.parse().unwrap(), &mut text);
        text
    }

    #[test]
    fn spacing_and_line_breaks_do_not_matter() {
        assert_eq!(written("Result<(u8, &str), E>"), written("Result <\n(u8,&str) , E,\n>"));
    }

    #[test]
    fn a_comma_at_the_end_does_not_matter_but_for_a_tuple_of_one() {
        assert_eq!(written("(A, B,)"), written("(A, B)"));
        assert_eq!(written("(Result<A, B,>, C,)"), written("(Result<A, B>, C)"));
        assert_ne!(written("(A,)"), written("(A)"));
        assert_ne!(written("(Result<A, B>,)"), written("(Result<A, B>)"));
    }

    #[test]
    fn whether_a_name_is_written_raw_does_not_matter() {
        assert_eq!(written("r#gen::Key<r#u8>"), written("gen::Key<u8>"));
    }

    #[test]
    fn types_do() {
        assert_ne!(written("[u8; 2]"), written("[u8; 3]"));
        assert_ne!(written("(A, B)"), written("(B, A)"));
        assert_ne!(written("dyn A"), written("dynA"));
    }
}
