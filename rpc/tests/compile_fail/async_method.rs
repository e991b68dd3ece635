use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    async fn put(&mut self, value: u32) -> Result<(), Error>;
}

fn main() {}
