//! What calls cost beside their time: no system call and no allocation while both sides are awake, and no wake-up
//! while they wait.

use portcullis_ipc::{Deadline, Error, Limits};
use portcullis_tests::executor::block_on;
use portcullis_tests::host::Host;
use portcullis_tests::resources::{eventually, switches, wake_ups};
use portcullis_tests::service::Op;
use portcullis_tests::station::{self, Station, StationAsync, Task};
use portcullis_tests::watchdog::Watchdog;
use std::future::Future;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// Held by those that spin on two cores, so that they do not slow each other down.
static BOTH_CORES: Mutex<()> = Mutex::new(());

fn silent(calls: u32, breaker: &str) -> ExitStatus {
    let _guard = BOTH_CORES.lock().unwrap_or_else(PoisonError::into_inner);
    let _watchdog = Watchdog::start(LIMIT);
    let status =
        Command::new(env!("CARGO_BIN_EXE_pair")).args(["silent", &calls.to_string(), breaker]).status();
    status.expect("the program starts")
}

#[test]
fn back_to_back_calls_make_no_system_call() {
    let status = silent(100_000, "nobody");
    assert!(status.success(), "{status}: one of the two made a system call");
}

#[test]
fn one_system_call_of_the_client_would_be_seen() {
    assert_eq!(silent(1, "client").signal(), Some(rustix::process::Signal::SYS.as_raw()));
}

#[test]
fn one_system_call_of_the_server_would_be_seen() {
    assert_eq!(silent(1, "server").code(), Some(2));
}

fn submits(count: u32, state: &str, breaker: &str) -> ExitStatus {
    let _guard = BOTH_CORES.lock().unwrap_or_else(PoisonError::into_inner);
    let _watchdog = Watchdog::start(LIMIT);
    let status = Command::new(env!("CARGO_BIN_EXE_pair"))
        .args(["submit", &count.to_string(), state, breaker])
        .status();
    status.expect("the program starts")
}

#[test]
fn a_submit_that_is_pending_makes_no_system_call() {
    let status = submits(1_000_000, "stopped", "nobody");
    assert!(status.success(), "{status}: it made a system call");
}

#[test]
fn a_submit_to_an_entrypoint_that_is_awake_makes_no_system_call() {
    let status = submits(100_000, "awake", "nobody");
    assert!(status.success(), "{status}: it made a system call");
}

#[test]
fn one_system_call_of_the_producer_would_be_seen() {
    assert_eq!(submits(1, "stopped", "client").signal(), Some(rustix::process::Signal::SYS.as_raw()));
}

/// What each kind of call allocates: the client's and the server's thread, in ten thousand calls.
fn frugal(policy: &str) -> Vec<(u64, u64)> {
    let _guard = BOTH_CORES.lock().unwrap_or_else(PoisonError::into_inner);
    let _watchdog = Watchdog::start(LIMIT);
    let output = Command::new(env!("CARGO_BIN_EXE_pair")).args(["frugal", "10000", policy]).output();
    let output = output.expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8_lossy(&output.stdout);
    let numbers = lines.lines().map(|line| {
        let (ours, theirs) = line.split_once(' ')?;
        Some((ours.parse().ok()?, theirs.parse().ok()?))
    });
    numbers.collect::<Option<Vec<_>>>().expect("two numbers a line")
}

#[test]
fn plain_calls_allocate_nothing() {
    for policy in ["spin", "adaptive"] {
        let counts = frugal(policy);
        assert_eq!(counts[..2], [(0, 0), (0, 0)], "{policy}: of 0 bytes and of 1,000");
        assert_eq!(counts[3], (10_000, 10_000), "{policy}: one that each side wastes would be seen");
    }
}

#[test]
fn a_blocked_client_and_an_idle_server_wake_up_for_nothing() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    for deadline in [Duration::ZERO, Duration::from_secs(60)] {
        let start = || Host::process(env!("CARGO_BIN_EXE_peer"), Limits::default());
        let (mut server, mut client) = (start()?, start()?);
        let number = client.root.keep(&server.root)?;
        // The client has a thread that is blocked in a call, and a server that is idle.
        client.root.call_in_background(number, Op::Hold, deadline)?;
        assert!(eventually(|| server.root.report().is_ok_and(|report| report.held == 1)));
        let processes = [&mut server, &mut client].map(|host| host.child().expect("a process").id());
        assert_eq!(wake_ups(&processes), 0, "with a deadline of {deadline:?} (0 is never)");
        // It was blocked all the while, and is served at once.
        assert_eq!(server.root.numbers(Op::AnswerHeld, &[0, 9], &[])?, [1]);
        assert_eq!(client.root.join()?.words(), [9]);
    }
    Ok(())
}

#[test]
fn a_task_that_waits_wakes_up_for_nothing_and_neither_does_its_watcher() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    for deadline in [Duration::ZERO, Duration::from_secs(60)] {
        let start = || Host::process(env!("CARGO_BIN_EXE_peer"), Limits::default());
        let (mut server, mut client) = (start()?, start()?);
        let number = client.root.keep(&server.root)?;
        // Tasks have called before, and one waits for a lane.
        for _ in 0..100 {
            client.root.call_kept_as_task(number, Op::Name, deadline)?;
        }
        for _ in 0..17 {
            client.root.call_in_background_as_task(number, Op::Hold, deadline)?;
        }
        assert!(eventually(|| server.root.report().is_ok_and(|report| report.held == 16)));
        let processes = [&mut server, &mut client].map(|host| host.child().expect("a process").id());
        assert_eq!(wake_ups(&processes), 0, "with a deadline of {deadline:?} (0 is never)");
        for _ in 0..17 {
            assert!(eventually(|| server.root.report().is_ok_and(|report| report.held > 0)));
            assert_eq!(server.root.numbers(Op::AnswerHeld, &[0, 9], &[])?, [1]);
        }
        for _ in 0..17 {
            assert_eq!(client.root.join()?.words(), [9]);
        }
        // All is done, and those deadlines are far away.
        assert_eq!(wake_ups(&processes), 0, "after a deadline of {deadline:?} (0 is never)");
    }
    Ok(())
}

#[test]
fn an_entrypoint_with_signals_wakes_up_for_nothing() -> Result<(), Box<dyn std::error::Error>> {
    let _watchdog = Watchdog::start(LIMIT);
    let start = || station::Host::process(env!("CARGO_BIN_EXE_station"));
    let (mut receiver, mut producer) = (start()?, start()?);
    let bell = receiver.root.client().lone_bell(0, true, Task::Note)?;
    let number = producer.root.client().keep(vec![bell])?;
    producer.root.client().submit(number, 1_000)?;
    let mut root = receiver.root.client();
    assert!(eventually(|| root.count(0).is_ok_and(|count| count > 0)));
    let processes = [&mut receiver, &mut producer].map(|host| host.child().expect("a process").id());
    assert_eq!(wake_ups(&processes), 0);
    Ok(())
}

#[test]
fn a_handler_that_waits_for_a_signal_wakes_up_for_nothing() -> Result<(), Box<dyn std::error::Error>> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut host = station::Host::process(env!("CARGO_BIN_EXE_station"))?;
    let mut root = host.root.client();
    let (ready, other) = (root.ready_signal()?, root.lone_bell(0, false, Task::Note)?);
    let process = host.child().expect("a process").id();
    let client = host.root.client();
    let mut waits = pin!(client.await_ready_async(60_000));
    // A call and a signal that must wait are there, and do not keep it awake: tasks, which have called when they were polled.
    let mut calls = pin!(client.work_async(0));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waits.as_mut().poll(&mut context).is_pending());
    // Until the handler waits, calls are answered; of two that are there at once the other one might come first.
    let mut brief = client.clone().with_deadline(Deadline::After(Duration::from_millis(300)));
    while brief.work(0).is_ok() {}
    assert!(calls.as_mut().poll(&mut context).is_pending());
    other.submit();
    let idle = wake_ups(&[process]);
    ready.submit();
    block_on(waits)?;
    block_on(calls)?;
    assert_eq!(idle, 0);
    Ok(())
}

#[test]
fn one_wake_up_would_be_seen() -> Result<(), Error> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut host = Host::process(env!("CARGO_BIN_EXE_peer"), Limits::default())?;
    host.root.name()?;
    let process = host.child().expect("a process").id();
    assert_eq!(wake_ups(&[process]), 0);
    let before = switches(process);
    host.root.name()?;
    assert!(eventually(|| switches(process) > before));
    Ok(())
}
