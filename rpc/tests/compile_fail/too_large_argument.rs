use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn put(&mut self, name: &str, value: [u8; 1023]) -> Result<(), Error>;
}

fn main() {}
