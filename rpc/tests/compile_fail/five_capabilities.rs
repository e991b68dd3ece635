use portcullis_rpc::{Capability, Error, rpc_interface};

#[rpc_interface]
trait Log {
    fn write(&mut self, line: &str) -> Result<(), Error>;
}

#[rpc_interface]
trait Fan {
    fn put(
        &mut self,
        pair: (Capability<dyn Log>, Option<Capability<dyn Log>>),
        three: [Capability<dyn Log>; 3],
    ) -> Result<(), Error>;
    fn get(&mut self) -> Result<[Capability<dyn Log>; 5], Error>;
}

fn main() {}
