use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    #[cfg(unix)]
    fn clear(&mut self) -> Result<(), Error>;
    #[cfg_attr(unix, must_use)]
    fn count(&mut self) -> Result<u32, Error>;
}

fn main() {}
