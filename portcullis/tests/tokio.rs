//! The feature `tokio` comes through.

use portcullis::prelude::*;
use std::thread::spawn;

#[rpc_interface]
trait Number {
    fn number(&self) -> Result<u32, rpc::Error>;
}

impl Number for u32 {
    fn number(&self) -> Result<u32, rpc::Error> {
        Ok(*self)
    }
}

#[test]
fn an_entrypoint_serves_as_a_task() -> Result<(), Box<dyn std::error::Error>> {
    let entrypoint = Entrypoint::new(&Pd::new()?)?;
    let number: Capability<dyn Number> = entrypoint.manage(7_u32);
    let handle = entrypoint.handle();
    let client = spawn(move || {
        let answer = number.client().number();
        handle.stop();
        answer
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(entrypoint.serve())?;
    assert_eq!(client.join().expect("it asks and no more"), Ok(7));
    Ok(())
}
