use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn open(name: &str) -> Result<(), Error>;
}

fn main() {}
