//! What is no longer to be used: whoever uses it is warned, and the interface itself is not, nor what is made of it.
#![deny(deprecated)]

mod support;

use portcullis_rpc::{Error, Interface, rpc_interface};
use serde::{Deserialize, Serialize};
use support::host;

#[rpc_interface]
trait Store {
    #[deprecated = "call `get`"]
    fn find(&self, key: u32) -> Result<u32, Error>;
    fn get(&self, key: u64) -> Result<u32, Error>;
}

impl Store for u32 {
    fn find(&self, key: u32) -> Result<u32, Error> {
        Ok(*self + key)
    }
    fn get(&self, key: u64) -> Result<u32, Error> {
        Ok(*self + u32::try_from(key).unwrap_or(0))
    }
}

/// Where all of it is old.
#[deprecated(note = "take a `Store`")]
#[rpc_interface]
trait Shelf {
    fn put(&mut self, value: u32) -> Result<u32, Error>;
}

#[expect(deprecated)] // it stays until nobody calls it
impl Shelf for u32 {
    fn put(&mut self, value: u32) -> Result<u32, Error> {
        Ok(std::mem::replace(self, value))
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[deprecated]
struct Key(u32);

/// Not old itself, but for its base and its types.
#[expect(deprecated)]
#[rpc_interface]
trait Rack: Shelf {
    fn key(&self, key: Key) -> Result<Key, Error>;
}

#[expect(deprecated)]
impl Rack for u32 {
    fn key(&self, key: Key) -> Result<Key, Error> {
        Ok(Key(key.0 + self))
    }
}

/// The same for a type of one method.
#[rpc_interface]
trait Board {
    #[allow(deprecated)]
    fn hang(&self, key: Option<Key>) -> Result<bool, Error>;
}

#[expect(deprecated)]
impl Board for u32 {
    fn hang(&self, key: Option<Key>) -> Result<bool, Error> {
        Ok(key.is_some())
    }
}

#[test]
#[expect(deprecated)]
fn methods_that_stay_for_old_clients_are_still_called() {
    let store = host::<dyn Store, _>(|| 1_u32).client();
    assert_eq!((store.find(2), store.get(3)), (Ok(3), Ok(4)));
}

#[test]
#[expect(deprecated)]
fn interfaces_that_stay_for_old_clients_are_still_called() {
    let mut rack = host::<dyn Rack, _>(|| 1_u32).client();
    assert_eq!((rack.put(2), rack.key(Key(3))), (Ok(1), Ok(Key(5))));
    assert_eq!(<dyn Rack>::METHODS, ["put", "key"]);
    assert_eq!(host::<dyn Board, _>(|| 1_u32).client().hang(Some(Key(1))), Ok(true));
}
