use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn put(&mut self, _: u32) -> Result<(), Error>;
    fn move_to(&mut self, (x, y): (u32, u32)) -> Result<(), Error>;
}

fn main() {}
