//! Packet streams between processes: nothing is lost under stress, nothing is spent in a steady state, death and hostile peers
//! harm nobody else, devices are what they should be, and what Genode tests its own with.

mod attacks;
mod death;
mod handlers;
mod payloads;
mod scenarios;
mod steady;
mod stress;

use portcullis_tests::stream::Failure;
use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(150);

/// The program whose roles the other side plays.
const PROGRAM: &str = env!("CARGO_BIN_EXE_stream");

/// Held by those that spin on two cores, so that they do not slow each other down.
static BOTH_CORES: Mutex<()> = Mutex::new(());

fn both_cores() -> impl Drop {
    BOTH_CORES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a side to end well, and answers what it has counted.
fn counts(child: Child) -> Result<Vec<u64>, Failure> {
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("a side failed: {}", output.status).into());
    }
    let line = String::from_utf8(output.stdout)?;
    Ok(line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
}

/// A side that is killed if the test does not see its end.
struct Mortal(Child);

impl Mortal {
    fn kill(&mut self) -> Result<(), Failure> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
