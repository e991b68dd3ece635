//! Processes that start with one descriptor, and end with their parent's interest.

use portcullis_ipc::{Deadline, Error, Limits, MsgBuf, WaitPolicy};
use portcullis_tests::host::{Host, patient};
use portcullis_tests::remote::{Remote, request};
use portcullis_tests::resources::eventually;
use portcullis_tests::service::Op;
use portcullis_tests::watchdog::Watchdog;
use std::process::{Command, Stdio};
use std::time::Duration;

const PEER: &str = env!("CARGO_BIN_EXE_peer");
const LIMIT: Duration = Duration::from_secs(120);

#[test]
fn a_child_is_called_at_once_through_the_capability_that_came_with_it() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let (mut child, root) = patient(WaitPolicy::Adaptive)?.spawn(Command::new(PEER))?;
    let root = Remote(root);
    root.name()?;
    assert_eq!(child.try_wait()?, None, "it serves for as long as we hold the capability");
    root.name().map(drop)
}

#[test]
fn a_child_ends_when_its_parent_lets_go_of_it() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let pd = patient(WaitPolicy::Adaptive)?;
    // Called before or not.
    for called in [true, false] {
        let (mut child, root) = pd.spawn(Command::new(PEER))?;
        if called {
            Remote(root.clone()).name()?;
        }
        drop(root);
        assert!(child.wait()?.success(), "it was told, and ended by itself");
    }
    Ok(())
}

#[test]
fn a_child_inherits_nothing_that_its_parent_holds() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let start = || Host::process(PEER, Limits::default());
    let first = start()?;
    let alone = first.root.report()?.descriptors;
    let others = (0..8).map(|_| start()).collect::<Result<Vec<_>, _>>()?;
    others.iter().try_for_each(|other| other.root.name().map(drop))?;
    assert_eq!(start()?.root.report()?.descriptors, alone, "although we hold eight channels by now");
    Ok(())
}

#[test]
fn a_process_without_a_parent_is_told_so() {
    let _watchdog = Watchdog::start(LIMIT);
    let output = Command::new(PEER).stdin(Stdio::null()).output().expect("the program starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("NotSpawned"), "{output:?}");
}

#[test]
fn a_program_that_does_not_start_is_an_error() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let result = patient(WaitPolicy::Adaptive)?.spawn(Command::new("/nonexistent/program")).map(drop);
    assert!(matches!(result, Err(Error::System { call: "execve", .. })), "{result:?}");
    Ok(())
}

#[test]
fn a_killed_child_is_reaped() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut host = Host::process(PEER, Limits::default())?;
    let root = host.root.clone();
    let status = host.child().expect("a process").kill()?;
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    assert!(eventually(|| root.name() == Err(Error::Disconnected)));
    Ok(())
}

#[test]
fn a_child_ends_though_a_call_with_its_own_object_was_given_up() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let (mut child, root) = patient(WaitPolicy::Adaptive)?.spawn(Command::new(PEER))?;
    let root = Remote(root);
    let object = root.new_object()?;
    let deadline = Deadline::After(Duration::from_millis(100));
    let given_up = root.0.call_with(&request(Op::Hold, &[], &[&object])?, &mut MsgBuf::new(), deadline);
    assert_eq!(given_up, Err(Error::DeadlineExceeded));
    drop((object, root));
    assert!(eventually(|| child.try_wait() != Ok(None)), "nobody has anything of it any more");
    Ok(())
}
