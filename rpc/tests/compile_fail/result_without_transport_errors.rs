use portcullis_rpc::rpc_interface;

#[rpc_interface]
trait Store {
    fn count(&mut self) -> Result<u32, String>;
}

fn main() {}
