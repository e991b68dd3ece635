use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface(version = 2)]
trait Store {
    fn clear(&mut self) -> Result<(), Error>;
}

fn main() {}
