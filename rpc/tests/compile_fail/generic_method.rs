use portcullis_rpc::{Error, rpc_interface};

#[rpc_interface]
trait Store {
    fn put<T>(&mut self, value: T) -> Result<(), Error>;
    fn get<'a>(&'a mut self, key: &'a str) -> Result<u32, Error>;
    fn any(&mut self) -> Result<u32, Error>
    where
        u32: Copy;
}

fn main() {}
