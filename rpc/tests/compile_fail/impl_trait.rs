use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn put(&mut self, value: impl ToString) -> Result<(), Error>;
    fn get(&mut self) -> Result<impl ToString, Error>;
}

fn main() {}
