use portcullis_rpc::rpc_interface;

macro_rules! methods {
    () => {};
}

#[rpc_interface]
trait Store {
    methods!();
}

fn main() {}
