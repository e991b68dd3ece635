use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn put(&mut self, #[cfg(not(unix))] key: u8, value: u8) -> Result<(), Error>;
    fn get(&self, #[cfg_attr(unix, allow(unused))] key: u8) -> Result<u32, Error>;
    fn clear(#[cfg(unix)] &mut self) -> Result<(), Error>;
}

fn main() {}
