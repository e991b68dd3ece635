use portcullis_rpc::rpc_interface;

#[rpc_interface]
trait Store {
    fn count(&mut self) -> u32;
    fn find(&mut self, key: u32) -> Option<u32>;
    fn pair(&mut self) -> (u32, u32);
}

fn main() {}
