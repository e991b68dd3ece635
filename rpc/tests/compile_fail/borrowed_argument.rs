use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn put(&mut self, value: &String) -> Result<(), Error>;
    fn keep(&mut self, value: &'static str) -> Result<(), Error>;
}

fn main() {}
