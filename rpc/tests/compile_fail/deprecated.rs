#![deny(deprecated)]

use portcullis_rpc::{Client, Error, rpc_interface};

#[rpc_interface]
trait Store {
    #[deprecated = "call `get`"]
    fn find(&self, key: u32) -> Result<u32, Error>;
    fn get(&self, key: u64) -> Result<u32, Error>;
}

#[deprecated = "take a `Store`"]
#[rpc_interface]
trait Shelf {
    fn put(&mut self, value: u32) -> Result<u32, Error>;
}

fn of_a_method(store: &Client<dyn Store>) -> Result<u32, Error> {
    drop(store.find_async(1));
    store.find(1)
}

fn of_an_interface(shelf: &mut Client<dyn Shelf>) -> Result<u32, Error> {
    drop(ShelfAsync::put_async(shelf, 1));
    shelf.put(1)
}

fn main() {}
