use portcullis_rpc::{Error, rpc_interface};

trait Plain {}

#[rpc_interface]
trait Store: Plain {
    fn clear(&mut self) -> Result<(), Error>;
}

fn main() {}
