//! `crate = path`: this package knows the façade by another name, and what is behind it not at all.

use gate::prelude::*;
use gate::test::pair;

#[rpc_interface(crate = gate)]
trait Named {
    fn length(&self, text: &str) -> Result<usize, rpc::Error>;
}

#[rpc_interface(crate = gate::rpc)]
trait ByModule {
    fn double(&self, number: u32) -> Result<u32, rpc::Error>;
}

mod reexported {
    pub(crate) mod deep {
        pub(crate) use gate::rpc as calls;
    }
}

#[rpc_interface(crate = crate::reexported::deep::calls, name = "derived")]
trait Derived: Named {
    fn both(&self, bytes: &[u8], next: Option<Capability<dyn ByModule>>) -> Result<u32, rpc::Error>;
}

struct Object;

impl Named for Object {
    fn length(&self, text: &str) -> Result<usize, rpc::Error> {
        Ok(text.len())
    }
}

impl ByModule for Object {
    fn double(&self, number: u32) -> Result<u32, rpc::Error> {
        Ok(2 * number)
    }
}

impl Derived for Object {
    fn both(&self, bytes: &[u8], next: Option<Capability<dyn ByModule>>) -> Result<u32, rpc::Error> {
        let number = bytes.iter().copied().map(u32::from).sum();
        next.map_or(Ok(number), |next| next.client().double(number))
    }
}

#[test]
fn interfaces_work_where_the_facade_has_another_name() -> Result<(), rpc::Error> {
    let (doubling, derived) = (pair::<dyn ByModule, _>(Object)?, pair::<dyn Derived, _>(Object)?);
    assert_eq!(derived.length("four")?, 4);
    assert_eq!(derived.both(&[20, 1], Some(doubling.capability().clone()))?, 42);
    Ok(())
}
