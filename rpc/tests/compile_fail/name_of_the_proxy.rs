use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn capability(&mut self) -> Result<u32, Error>;
    fn clone(&mut self) -> Result<u32, Error>;
}

fn main() {}
