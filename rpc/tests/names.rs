//! Names that an interface may have: those of generated code, of macros, raw ones, and those of traits.

mod support;

use portcullis_rpc::{Error, rpc_interface};
use support::host;

/// Names that generated code could confuse with its own.
mod names {
    use super::*;

    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub(crate) struct T(pub(crate) u32);
    type D = T;

    #[rpc_interface]
    pub(crate) trait Client {
        fn reply(&mut self, request: T, reply: u32, object: D, opcode: Option<T>) -> Result<D, Error>;
        fn r#type(&mut self, r#fn: u32) -> Result<u32, Error>;
        fn dispatch(&mut self) -> Result<(), Error>;
    }

    pub(crate) struct Object;

    impl Client for Object {
        fn reply(&mut self, request: T, reply: u32, object: D, opcode: Option<T>) -> Result<D, Error> {
            Ok(T(request.0 * 1000 + reply * 100 + object.0 * 10 + opcode.map_or(0, |opcode| opcode.0)))
        }
        fn r#type(&mut self, r#fn: u32) -> Result<u32, Error> {
            Ok(r#fn)
        }
        fn dispatch(&mut self) -> Result<(), Error> {
            Ok(())
        }
    }
}

#[test]
fn the_users_names_do_not_meet_those_of_generated_code() {
    use names::{Client, Object, T};
    let mut client = host::<dyn Client, _>(|| Object).client();
    assert_eq!(client.reply(T(1), 2, T(3), Some(T(4))), Ok(T(1234)));
    assert_eq!(client.r#type(5), Ok(5));
    assert_eq!(client.dispatch(), Ok(()));
}

/// An interface all of whose names are those of whoever asks for it.
macro_rules! interfaces {
    ($base:ident, $first:ident, $derived:ident, $second:ident, $argument:ident, $object:ident) => {
        #[rpc_interface]
        trait $base {
            fn $first(&self, $argument: &str) -> Result<usize, Error>;
        }

        #[rpc_interface]
        trait $derived: $base {
            fn $second(&mut self, $argument: Vec<u8>, value: u8) -> Result<u8, Error>;
        }

        struct $object;

        impl $base for $object {
            fn $first(&self, $argument: &str) -> Result<usize, Error> {
                Ok($argument.len())
            }
        }

        impl $derived for $object {
            fn $second(&mut self, $argument: Vec<u8>, value: u8) -> Result<u8, Error> {
                Ok($argument[0] + value)
            }
        }
    };
}

interfaces!(Measure, length, Sum, add, of, Both);

#[test]
fn names_may_come_from_whoever_calls_a_macro() {
    let mut client = host::<dyn Sum, _>(|| Both).client();
    assert_eq!(client.length("four"), Ok(4));
    assert_eq!(client.add(vec![1], 2), Ok(3));
}

/// An interface that is written out elsewhere, its receivers included.
macro_rules! interface {
    ($(trait $name:ident { $($methods:tt)* })*) => {
        $(#[rpc_interface] trait $name { $($methods)* })*
    };
}

interface! {
    trait Count {
        fn next(&mut self) -> Result<u32, Error>;
        fn last(&self) -> Result<u32, Error>;
    }
}

impl Count for u32 {
    fn next(&mut self) -> Result<u32, Error> {
        *self += 1;
        Ok(*self)
    }
    fn last(&self) -> Result<u32, Error> {
        Ok(*self)
    }
}

#[test]
fn a_macro_may_pass_whole_methods_on() {
    let mut client = host::<dyn Count, _>(|| 7_u32).client();
    assert_eq!((client.next(), client.last()), (Ok(8), Ok(8)));
}
