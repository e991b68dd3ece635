use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn close(self) -> Result<(), Error>;
    fn drop_it(self: Box<Self>) -> Result<(), Error>;
}

fn main() {}
