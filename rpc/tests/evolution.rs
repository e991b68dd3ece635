//! Two versions of an interface, one at the client and one at the server.

mod support;

use portcullis_rpc::{Capability, Client, Derives, Error, Interface, Serves, rpc_interface};
use support::host;

/// The first version.
mod old {
    use super::*;

    #[rpc_interface(name = "store")]
    pub(crate) trait Store {
        fn get(&mut self, key: u32) -> Result<u64, Error>;
        fn put(&mut self, key: u32, value: u64) -> Result<(), Error>;
    }

    #[rpc_interface(name = "cache")]
    pub(crate) trait Cache: Store {
        fn evict(&mut self) -> Result<u32, Error>;
    }
}

/// A method appended, and the names of arguments changed.
mod appended {
    use super::*;

    #[rpc_interface(name = "store")]
    pub(crate) trait Store {
        fn get(&mut self, name: u32) -> Result<u64, Error>;
        fn put(&mut self, name: u32, content: u64) -> Result<(), Error>;
        fn count(&self) -> Result<usize, Error>;
    }

    #[rpc_interface(name = "cache")]
    pub(crate) trait Cache: Store {
        fn evict(&mut self) -> Result<u32, Error>;
    }
}

/// The signature of the first method changed.
mod changed {
    use super::*;

    #[rpc_interface(name = "store")]
    pub(crate) trait Store {
        fn get(&mut self, key: u64) -> Result<u64, Error>;
        fn put(&mut self, key: u32, value: u64) -> Result<(), Error>;
    }
}

/// The same methods under another name.
mod renamed {
    use super::*;

    #[rpc_interface(name = "store-2")]
    pub(crate) trait Store {
        fn get(&mut self, key: u32) -> Result<u64, Error>;
        fn put(&mut self, key: u32, value: u64) -> Result<(), Error>;
    }
}

#[derive(Default)]
struct Table(Vec<(u32, u64)>);

impl Table {
    fn find(&self, key: u32) -> u64 {
        self.0.iter().rev().find(|(known, _)| *known == key).map_or(0, |(_, value)| *value)
    }
}

impl old::Store for Table {
    fn get(&mut self, key: u32) -> Result<u64, Error> {
        Ok(self.find(key))
    }
    fn put(&mut self, key: u32, value: u64) -> Result<(), Error> {
        self.0.push((key, value));
        Ok(())
    }
}

impl old::Cache for Table {
    fn evict(&mut self) -> Result<u32, Error> {
        Ok(self.0.pop().map_or(0, |(key, _)| key))
    }
}

impl appended::Store for Table {
    fn get(&mut self, key: u32) -> Result<u64, Error> {
        Ok(self.find(key))
    }
    fn put(&mut self, key: u32, value: u64) -> Result<(), Error> {
        self.0.push((key, value));
        Ok(())
    }
    fn count(&self) -> Result<usize, Error> {
        Ok(self.0.len())
    }
}

impl appended::Cache for Table {
    fn evict(&mut self) -> Result<u32, Error> {
        Ok(self.0.pop().map_or(0, |(key, _)| key))
    }
}

impl changed::Store for Table {
    fn get(&mut self, key: u64) -> Result<u64, Error> {
        Ok(u32::try_from(key).map_or(0, |key| self.find(key)))
    }
    fn put(&mut self, key: u32, value: u64) -> Result<(), Error> {
        self.0.push((key, value));
        Ok(())
    }
}

impl renamed::Store for Table {
    fn get(&mut self, key: u32) -> Result<u64, Error> {
        Ok(self.find(key))
    }
    fn put(&mut self, key: u32, value: u64) -> Result<(), Error> {
        self.0.push((key, value));
        Ok(())
    }
}

/// A client of one version whose server has another.
fn client_of<Here, There>() -> Client<Here>
where
    Here: ?Sized + Interface,
    There: ?Sized + Serves<Table>,
{
    Capability::<Here>::from_untyped(host::<There, _>(Table::default).into_untyped()).client()
}

#[test]
fn an_old_client_works_with_a_server_that_appended_methods() {
    use old::Store;
    let mut client = client_of::<dyn old::Store, dyn appended::Store>();
    assert_eq!(client.put(1, 10), Ok(()));
    assert_eq!(client.get(1), Ok(10));
}

#[test]
fn a_new_client_is_told_what_an_old_server_lacks() {
    use appended::Store;
    let mut client = client_of::<dyn appended::Store, dyn old::Store>();
    assert_eq!(client.put(1, 10), Ok(()));
    assert_eq!(client.count(), Err(Error::UnknownMethod));
    assert_eq!(client.get(1), Ok(10));
}

#[test]
fn a_changed_signature_is_refused_at_that_method_only() {
    use old::Store;
    let mut client = client_of::<dyn old::Store, dyn changed::Store>();
    assert_eq!(client.get(1), Err(Error::WrongInterface));
    assert_eq!(client.put(1, 10), Ok(()));
}

#[test]
fn a_new_name_is_another_interface() {
    use old::Store;
    let mut client = client_of::<dyn old::Store, dyn renamed::Store>();
    assert_eq!(client.get(1), Err(Error::WrongInterface));
    assert_eq!(client.put(1, 10), Err(Error::WrongInterface));
}

#[test]
fn a_method_appended_to_a_base_shifts_what_derives_from_it() {
    use old::{Cache, Store};
    let mut client = client_of::<dyn old::Cache, dyn appended::Cache>();
    assert_eq!(client.put(1, 10), Ok(()), "the base goes on");
    assert_eq!(client.evict(), Err(Error::WrongInterface), "and the rest is refused, not mistaken");
}

#[test]
fn g15_a_base_of_the_server_is_enough_for_a_client_of_the_base() {
    fn assert_derives<D: ?Sized + Derives<B>, B: ?Sized>() {}
    assert_derives::<dyn old::Cache, dyn old::Store>();
    use old::Store;
    let mut client = client_of::<dyn old::Store, dyn old::Cache>();
    assert_eq!(client.put(1, 10), Ok(()));
    assert_eq!(client.get(1), Ok(10));
}

/// The crate under another path, as for who re-exports it.
mod elsewhere {
    pub(crate) use portcullis_rpc as transport;

    #[portcullis_rpc::rpc_interface(crate = crate::elsewhere::transport, name = "elsewhere")]
    pub(crate) trait Store {
        fn get(&mut self, key: u32) -> Result<u64, transport::Error>;
    }
}

#[test]
fn the_crate_may_be_found_elsewhere() {
    assert_eq!(<dyn elsewhere::Store>::NAME, "elsewhere");
    assert_eq!(<dyn elsewhere::Store>::METHODS, ["get"]);
}
