use portcullis_rpc::{Error, rpc_interface};

struct Key(u32);

#[rpc_interface]
trait Store {
    fn get(&mut self, key: Key) -> Result<u32, Error>;
}

fn main() {}
