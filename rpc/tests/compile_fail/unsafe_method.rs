use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
unsafe trait Store {
    unsafe fn put(&mut self, value: u32) -> Result<(), Error>;
    extern "C" fn get(&mut self) -> Result<u32, Error>;
}

fn main() {}
