use portcullis_rpc::{Capability, Error, rpc_interface};

#[rpc_interface]
trait Log {
    fn write(&mut self, line: &str) -> Result<(), Error>;
}

#[rpc_interface]
trait Store {
    fn put(&mut self, log: Capability<dyn Log>) -> Result<(), Error>;
}

fn g13_a_capability_of_another_interface(store: Capability<dyn Store>) {
    let _ = store.client().put(store);
}

fn g15_not_a_base(store: Capability<dyn Store>) {
    let _ = store.upcast::<dyn Log>();
}

fn main() {}
