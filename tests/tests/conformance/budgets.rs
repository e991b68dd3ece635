//! What a server grants to each client at most.

use crate::{Place, Processes, Threads};
use portcullis_ipc::{Error, Limits};
use portcullis_tests::cores::first_core;
use portcullis_tests::host::Host;
use portcullis_tests::remote::Remote;
use portcullis_tests::resources::eventually;
use portcullis_tests::service::Op;
use portcullis_tests::stopped::Stopped;
use portcullis_tests::watchdog::Watchdog;
use std::time::Duration;

const LIMITS: Limits = Limits { rows: 8, contexts: 8, channels: 1_024, portals: 256 };

/// Only between processes: within one, a capability takes no row.
#[test]
fn a_client_holds_as_many_rows_as_its_budget_says() -> Result<(), Error> {
    let _watchdog = Watchdog::start(crate::LIMIT);
    let host = Processes::start_with(LIMITS)?;
    let mut held = host.root.new_objects(4)?;
    held.extend(host.root.new_objects(3)?);
    assert_eq!(host.root.report()?.rows, 8, "with the first object");
    assert_eq!(host.root.new_object().map(drop), Err(Error::BudgetExceeded));
    // All or nothing: what there was room for does not stay behind. What was given back before makes room, if nobody asks in between.
    held.truncate(5);
    assert_eq!(host.root.new_objects(3).map(drop), Err(Error::BudgetExceeded));
    assert_eq!(host.root.report()?.rows, 6);
    held.extend(host.root.new_objects(2)?);
    // The budget is this client's alone: another still has its own.
    let other = Processes::start()?;
    let number = other.root.keep(&host.root)?;
    assert!(other.root.call_kept(number, Op::NewObjects, Duration::ZERO, &[4])?.result.is_ok());
    held.iter().try_for_each(|object| object.name().map(drop))
}

/// A row that was granted before takes no more room when it is granted again.
#[test]
fn a_full_table_still_grants_what_it_holds() -> Result<(), Error> {
    let _watchdog = Watchdog::start(crate::LIMIT);
    let host = Processes::start_with(LIMITS)?;
    let held: Vec<Remote> = [host.root.new_objects(4)?, host.root.new_objects(3)?].concat();
    let again = host.root.ask(Op::Echo, &[], &[&held[0], &held[1], &held[2], &held[3]])?;
    assert_eq!((again.capabilities(), host.root.report()?.rows), (4, 8));
    Ok(())
}

/// A release waits in its ring for a server that is never idle; what the client sent meanwhile does not matter.
#[test]
fn a_release_that_was_not_looked_at_for_long_is_still_good() -> Result<(), Error> {
    let _watchdog = Watchdog::start(crate::LIMIT);
    let (host, other) = (Host::sleepless(env!("CARGO_BIN_EXE_peer"))?, Threads::start()?);
    first_core();
    let before = host.root.report()?.rows;
    drop(host.root.new_object()?);
    // Each sends a portal over the channel's socket, more of them than half the messages that are told apart.
    for _ in 0..33_000 {
        assert_eq!(host.root.numbers(Op::IsMine, &[], &[&other.root])?, [0]);
    }
    // Enough releases for the server to look at them.
    drop((0..100).map(|_| host.root.new_object()).collect::<Result<Vec<_>, _>>()?);
    assert!(eventually(|| host.root.report().is_ok_and(|report| report.rows == before)));
    Ok(())
}

/// A server that sleeps takes back what was released before it does. One that never sleeps does it as well.
#[test]
fn g4_the_last_drop_frees_the_row_of_a_server_that_never_sleeps() -> Result<(), Error> {
    let _watchdog = Watchdog::start(crate::LIMIT);
    let host = Host::sleepless(env!("CARGO_BIN_EXE_peer"))?;
    first_core();
    let before = host.root.report()?.rows;
    drop(host.root.new_objects(3)?);
    // Few questions, since a server looks for releases after some dozens of requests as well.
    let is_back = |_| {
        std::thread::sleep(Duration::from_millis(20));
        host.root.report().is_ok_and(|report| report.rows == before)
    };
    assert!((0..20).any(is_back));
    Ok(())
}

/// What fails for want of descriptors can be tried again.
#[test]
fn a_client_without_descriptors_calls_when_it_has_some_again() -> Result<(), Error> {
    let _watchdog = Watchdog::start(crate::LIMIT);
    let (mut host, client) = (Processes::start()?, Processes::start()?);
    let root = host.root.clone();
    // It would be a channel as soon as its server takes it up.
    let stopped = Stopped::stop(host.child().expect("it is a process").id())?;
    let number = client.root.keep(&root)?;
    let call = || client.root.call_kept(number, Op::Name, Duration::ZERO, &[]);
    assert_eq!(client.root.numbers(Op::LimitDescriptors, &[1], &[])?, [1]);
    drop(stopped);
    let error = call()?.result.expect_err("a channel takes a descriptor");
    assert!(error.contains("System"), "{error}");
    assert_eq!(client.root.numbers(Op::LimitDescriptors, &[512], &[])?, [1]);
    assert_eq!(call()?.words()[0], root.name()?);
    Ok(())
}
