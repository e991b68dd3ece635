use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn capability(&mut self) -> Result<u32, Error>;
    fn clone(&mut self) -> Result<u32, Error>;
    fn clone_into(&mut self) -> Result<u32, Error>;
    fn r#upcast(&mut self) -> Result<u32, Error>;
}

fn main() {}
