use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error>;
}

fn main() {}
