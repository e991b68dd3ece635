use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    type Value;
    const SIZE: usize;
    fn put(&mut self, value: Self::Value) -> Result<(), Error>;
}

fn main() {}
