use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store: 'static {
    fn clear(&mut self) -> Result<(), Error>;
}

#[rpc_interface]
trait Cache: Store + 'static {
    fn evict(&mut self) -> Result<(), Error>;
}

fn main() {}
