use portcullis_rpc::{Capability, Error, SignalCapability, rpc_interface};

#[rpc_interface]
trait Log {
    fn write(&mut self, line: &str) -> Result<(), Error>;
}

#[rpc_interface]
trait Fan {
    fn put(
        &mut self,
        pair: (Capability<dyn Log>, Option<SignalCapability>),
        three: [Capability<dyn Log>; 3],
    ) -> Result<(), Error>;
    fn get(&mut self) -> Result<[Capability<dyn Log>; 5], Error>;
}

fn main() {}
