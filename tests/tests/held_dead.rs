//! What it costs to hold a capability whose server has died.

use portcullis_ipc::{Error, WaitPolicy};
use portcullis_tests::host::patient;
use portcullis_tests::remote::Remote;
use portcullis_tests::watchdog::Watchdog;
use std::process::Command;
use std::time::Duration;

/// In a process of its own, as each file of tests is: it counts what the whole process uses.
#[test]
fn a_capability_to_a_dead_server_costs_nothing_while_it_is_held() -> Result<(), Error> {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (mut child, root) = patient(WaitPolicy::Adaptive)?.spawn(Command::new(env!("CARGO_BIN_EXE_peer")))?;
    let root = Remote(root);
    root.name()?;
    child.kill()?;
    assert_eq!(root.name().map(drop), Err(Error::Disconnected));
    let before = ticks();
    // Time in which nothing should happen.
    std::thread::sleep(Duration::from_millis(500));
    let used = ticks() - before;
    assert!(used <= 5, "{used} hundredths of a second in half a second");
    drop(root);
    Ok(())
}

/// What this process has used of processors, in hundredths of a second.
fn ticks() -> u64 {
    let about = std::fs::read_to_string("/proc/self/stat").expect("/proc is mounted");
    let behind_name = about.rsplit(')').next().unwrap_or_default();
    let used = behind_name.split_whitespace().skip(11).take(2);
    used.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}
