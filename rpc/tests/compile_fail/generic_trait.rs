use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store<T> {
    fn put(&mut self, value: T) -> Result<(), Error>;
}

fn main() {}
