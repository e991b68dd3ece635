//! The attribute's arguments.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Path, Result, Token};

/// `name = "..."`, `crate = path`, in any order.
#[derive(Default)]
pub(crate) struct Arguments {
    name: Option<LitStr>,
    krate: Option<Path>,
}

/// What the arguments say, or what holds without them.
pub(crate) struct Terms {
    /// The interface's name on the wire.
    pub(crate) name: String,
    /// The path of the crate `portcullis_rpc`, or of one that has its `__private`.
    pub(crate) krate: Path,
}

impl Arguments {
    /// What holds for the trait of that name.
    pub(crate) fn or(self, of: &Ident, krate: Path) -> Terms {
        let name = self.name.map_or_else(|| default_name(of), |name| name.value());
        Terms { name, krate: self.krate.unwrap_or(krate) }
    }
}

/// The package and the trait: stays the same when the trait moves within its package.
fn default_name(of: &Ident) -> String {
    let of = of.unraw();
    match std::env::var("CARGO_PKG_NAME") {
        Ok(package) => format!("{package}.{of}"),
        Err(_) => of.to_string(),
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Arguments::default();
        while !input.is_empty() {
            if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                arguments.krate = Some(Path::parse_mod_style(input)?);
            } else {
                let key: Ident = input.parse()?;
                if key != "name" {
                    return Err(syn::Error::new(key.span(), "expected `name = \"...\"` or `crate = path`"));
                }
                input.parse::<Token![=]>()?;
                arguments.name = Some(input.parse()?);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}
