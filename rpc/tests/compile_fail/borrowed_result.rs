use portcullis_rpc::{Error, rpc_interface};
use std::borrow::Cow;

#[rpc_interface]
trait Store {
    fn name(&mut self) -> Result<&str, Error>;
    fn title(&mut self) -> Result<Cow<'_, str>, Error>;
}

fn main() {}
