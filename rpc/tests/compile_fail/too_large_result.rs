use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn get(&mut self) -> Result<[u8; 1022], Error>;
}

fn main() {}
