use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn write(&mut self) -> Result<u32, Error>;
    fn write_async(&mut self) -> Result<u32, Error>;
    fn r#match(&mut self) -> Result<u32, Error>;
    fn r#match_async(&mut self) -> Result<u32, Error>;
}

fn main() {}
