use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn clear(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
