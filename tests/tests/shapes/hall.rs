//! Where the mirror and the numbers are found.

use crate::echo::{Echo, Number};
use portcullis_rpc::{Capability, Error, rpc_interface};

/// The first object of the process `mirror`.
#[rpc_interface]
pub(crate) trait Hall {
    /// An object that returns what it gets.
    fn mirror(&mut self) -> Result<Capability<dyn Echo>, Error>;
    /// An object that knows a number.
    fn number(&mut self, number: u32) -> Result<Capability<dyn Number>, Error>;
}
