//! Names that an interface may have: those of generated code, of macros, raw ones, and those of traits.

mod support;

use portcullis_rpc::{Capability, Error, Interface, rpc_interface};
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

/// The same interface, once with names that are written raw and once without.
mod raw {
    use super::*;

    #[rpc_interface]
    pub(crate) trait r#Odd {
        fn r#match(&self, r#type: [r#u8; 2], r#in: r#Option<r#Vec<u8>>) -> r#Result<[r#u8; 2], Error>;
        fn count(&self, of: &str) -> Result<usize, Error>;
    }
}

mod plain {
    use super::*;

    #[rpc_interface]
    pub(crate) trait Odd {
        fn r#match(&self, kind: [u8; 2], within: Option<Vec<u8>>) -> Result<[u8; 2], Error>;
        fn r#count(&self, of: &str) -> Result<usize, Error>;
    }
}

impl plain::Odd for u8 {
    fn r#match(&self, [first, second]: [u8; 2], within: Option<Vec<u8>>) -> Result<[u8; 2], Error> {
        Ok([first + second, *self + within.map_or(0, |within| within[0])])
    }
    fn count(&self, of: &str) -> Result<usize, Error> {
        Ok(of.len())
    }
}

#[test]
fn how_a_name_is_written_does_not_reach_the_wire() {
    use raw::Odd;
    assert_eq!(<dyn raw::Odd>::NAME, "portcullis-rpc.Odd");
    assert_eq!(<dyn raw::Odd>::METHODS, ["match", "count"]);
    assert_eq!(<dyn plain::Odd>::METHODS, ["match", "count"]);
    let server = host::<dyn plain::Odd, _>(|| 4_u8).into_untyped();
    let client = Capability::<dyn raw::Odd>::from_untyped(server).client();
    assert_eq!(client.r#match([1, 2], Some(vec![3])), Ok([3, 7]));
    assert_eq!(client.count("four"), Ok(4));
}

/// Interfaces with one method each, by the name of which a client is called without more ado.
macro_rules! methods {
    ($($name:ident)*) => {
        $(
            #[allow(clippy::new_ret_no_self, clippy::wrong_self_convention)] // names for something else, on purpose
            mod $name {
                use super::*;

                #[rpc_interface]
                trait Exclusive {
                    fn $name(&mut self) -> Result<u8, Error>;
                }

                #[rpc_interface]
                trait Shared {
                    fn $name(&self) -> Result<u8, Error>;
                }

                impl Exclusive for u8 {
                    fn $name(&mut self) -> Result<u8, Error> {
                        Ok(*self)
                    }
                }

                impl Shared for u8 {
                    fn $name(&self) -> Result<u8, Error> {
                        Ok(*self)
                    }
                }

                pub(super) fn call() -> [Result<u8, Error>; 2] {
                    let mut exclusive = host::<dyn Exclusive, _>(|| 1_u8).client();
                    [exclusive.$name(), host::<dyn Shared, _>(|| 2_u8).client().$name()]
                }
            }
        )*

        #[test]
        fn names_of_traits_that_clients_lack_or_one_has_to_import_are_free() {
            $(assert_eq!($name::call(), [Ok(1), Ok(2)]);)*
        }
    };
}

methods! {
    as_mut as_ref borrow borrow_mut by_ref call cmp default deref drop eq extend fmt from hash into_future into_iter max new
    next poll to_string try_from type_id
}
