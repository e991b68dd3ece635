use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Read {
    fn read(&mut self) -> Result<u32, Error>;
}

#[rpc_interface]
trait Write {
    fn write(&mut self, value: u32) -> Result<(), Error>;
}

#[rpc_interface]
trait Both: Read + Write {
    fn sync(&mut self) -> Result<(), Error>;
}

fn main() {}
