use portcullis_rpc::rpc_interface;

type Count = u32;

#[rpc_interface]
trait Store {
    fn count(&mut self) -> Count;
}

fn main() {}
