//! Starts itself as a child process, which serves an object, and calls that object.

use portcullis::prelude::*;
use std::{env, error::Error, process::Command};

#[rpc_interface]
trait Greeter {
    fn greet(&mut self, name: &str) -> Result<String, rpc::Error>;
}

struct Polite;

impl Greeter for Polite {
    fn greet(&mut self, name: &str) -> Result<String, rpc::Error> {
        Ok(format!("Hello, {name}!"))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let pd = Pd::new()?;
    if env::args().any(|argument| argument == "child") {
        return Ok(portcullis::serve_parent::<dyn Greeter, _>(&pd, Polite)?);
    }
    let mut command = Command::new(env::current_exe()?);
    command.arg("child");
    let (_child, greeter) = portcullis::spawn::<dyn Greeter>(&pd, command)?;
    println!("{}", greeter.client().greet("world")?);
    Ok(())
}
