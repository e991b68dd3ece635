use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn merge(&mut self, other: Self) -> Result<(), Error>;
}

fn main() {}
