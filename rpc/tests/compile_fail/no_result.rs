use portcullis_rpc::rpc_interface;

#[rpc_interface]
trait Store {
    fn clear(&mut self);
}

fn main() {}
