//! Peers that are killed or stopped in the middle of a call, a thousand times each: the other side goes on, and holds
//! afterwards what it held before.

use portcullis_ipc::{Child, Deadline, Error, Limits, MsgBuf, Pd, WaitPolicy};
use portcullis_tests::host::{Host, patient};
use portcullis_tests::remote::{Remote, Report, request};
use portcullis_tests::resources::{Resources, eventually};
use portcullis_tests::service::{Op, micros};
use portcullis_tests::stopped::Stopped;
use portcullis_tests::watchdog::Watchdog;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const CYCLES: usize = 1_000;
/// Cycles before the first look at resources: allocators and thread stacks settle.
const WARM_UP: usize = 20;
/// What the resident memory may grow by, in KiB: far less than a page for each cycle.
const MEMORY_NOISE: u64 = 2_048;
/// What a machine under load may add to any deadline.
const NOISE: Duration = Duration::from_secs(5);
const NEVER: Duration = Duration::ZERO;

/// Whose test it is: they count what this process holds, and so run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> (MutexGuard<'static, ()>, Watchdog) {
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    (guard, Watchdog::start(Duration::from_secs(300)))
}

fn peer(pd: &Pd) -> Result<Host, Error> {
    Host::process_of(pd, env!("CARGO_BIN_EXE_peer"), Limits::default())
}

fn child(host: &mut Host) -> &mut Child {
    host.child().expect("the peer runs in a process")
}

/// No more descriptors and mappings than before (of those before, some may have been about to be closed on another
/// thread), memory within the noise.
fn assert_as_before(before: Resources, after: impl Fn() -> Resources) {
    let same = |after: Resources| {
        after.descriptors <= before.descriptors
            && after.mappings <= before.mappings
            && after.resident_kib <= before.resident_kib + MEMORY_NOISE
    };
    assert!(eventually(|| same(after())), "before: {before:?}, after {CYCLES} cycles: {:?}", after());
}

fn resources(report: Report) -> Resources {
    Resources {
        descriptors: report.descriptors,
        mappings: report.mappings,
        resident_kib: report.resident_kib,
    }
}

/// What a peer's process holds; all zero if it cannot be asked.
fn resources_of(peer: &Remote) -> Resources {
    peer.report().map_or(Resources { descriptors: 0, mappings: 0, resident_kib: 0 }, resources)
}

/// Runs the cycles, and compares what everybody holds after the warm-up and after the last.
fn cycles(peers: &[&Remote], mut cycle: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    (0..WARM_UP).try_for_each(|_| cycle())?;
    let ours = Resources::of_this_process();
    let theirs: Vec<_> = peers.iter().map(|peer| resources_of(peer)).collect();
    (0..CYCLES).try_for_each(|_| cycle())?;
    for (peer, before) in peers.iter().zip(theirs) {
        assert_as_before(before, || resources_of(peer));
    }
    assert_as_before(ours, Resources::of_this_process);
    Ok(())
}

#[test]
fn attack_15_a_killed_server_is_an_error_within_50_ms() -> Result<(), Error> {
    let _alone = alone();
    let pd = patient(WaitPolicy::Adaptive)?;
    let mut times = Vec::new();
    cycles(&[], || {
        let mut server = peer(&pd)?;
        let root = server.root.clone();
        let caller = std::thread::spawn(move || {
            let result = root.ask_until(Deadline::Never, Op::Hold, &[]).map(drop);
            (result, Instant::now())
        });
        assert!(eventually(|| server.root.report().is_ok_and(|report| report.held == 1)));
        let killed = Instant::now();
        child(&mut server).kill()?;
        let (result, told) = caller.join().expect("the caller does not panic");
        assert_eq!(result, Err(Error::Disconnected));
        assert_eq!(server.root.name(), Err(Error::Disconnected), "from now on it is known");
        times.push(told - killed);
        Ok(())
    })?;
    times.sort_unstable();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    assert!(median < Duration::from_millis(50) && worst < NOISE, "median {median:?}, worst {worst:?}");
    Ok(())
}

#[test]
fn attack_14_what_a_killed_client_held_comes_back() -> Result<(), Error> {
    let _alone = alone();
    let pd = patient(WaitPolicy::Adaptive)?;
    let server = peer(&pd)?;
    let held = || server.root.report().map(|report| (report.channels, report.rows, report.held));
    let before = held()?;
    cycles(&[&server.root], || {
        let mut client = peer(&pd)?;
        let number = client.root.keep(&server.root)?;
        // It holds rows beside the lane.
        client.root.call_kept(number, Op::NewObjects, NEVER, &[4]).map(drop)?;
        client.root.call_in_background(number, Op::Hold, NEVER)?;
        assert!(eventually(|| held().is_ok_and(|held| held.2 == 1)));
        child(&mut client).kill()?;
        assert!(eventually(|| held().is_ok_and(|held| (held.0, held.1) == (before.0, before.1))));
        assert_eq!(server.root.numbers(Op::AnswerHeld, &[0], &[])?, [0], "the caller is gone");
        Ok(())
    })
}

#[test]
fn a_stopped_server_costs_its_caller_the_deadline() -> Result<(), Error> {
    const LIMIT: Duration = Duration::from_millis(3);
    let _alone = alone();
    let pd = patient(WaitPolicy::Adaptive)?;
    let mut server = peer(&pd)?;
    let (root, process) = (server.root.clone(), child(&mut server).id());
    cycles(&[&root], || {
        let stopped = Stopped::stop(process)?;
        let start = Instant::now();
        let result = root.ask_until(Deadline::After(LIMIT), Op::Echo, &[1]).map(drop);
        let time = start.elapsed();
        assert_eq!(result, Err(Error::DeadlineExceeded));
        assert!(time >= LIMIT && time < LIMIT + NOISE, "{time:?} of {LIMIT:?}");
        drop(stopped);
        // It goes on as if nothing had been, and so does the channel.
        assert_eq!(root.numbers(Op::Echo, &[2], &[])?, [2]);
        Ok(())
    })
}

#[test]
fn a_stopped_client_delays_nobody_else() -> Result<(), Error> {
    const LIMIT: Duration = Duration::from_millis(2);
    let _alone = alone();
    let pd = patient(WaitPolicy::Adaptive)?;
    let (server, mut client) = (peer(&pd)?, peer(&pd)?);
    let number = client.root.keep(&server.root)?;
    let (root, process) = (client.root.clone(), child(&mut client).id());
    cycles(&[&server.root, &root], || {
        root.call_in_background(number, Op::Hold, NEVER)?;
        assert!(eventually(|| server.root.report().is_ok_and(|report| report.held == 1)));
        let stopped = Stopped::stop(process)?;
        assert_eq!(server.root.numbers(Op::Echo, &[1], &[])?, [1], "others are served");
        let waited = server.root.numbers(Op::WaitUntil, &[micros(LIMIT)], &[])?;
        let time = Duration::from_micros(waited[1]);
        assert!(waited[0] == 1 && time >= LIMIT && time < LIMIT + NOISE, "{time:?} of {LIMIT:?}");
        // Answering it does not wait for it to read the answer.
        assert_eq!(server.root.numbers(Op::AnswerHeld, &[0, 7], &[])?, [1]);
        drop(stopped);
        assert_eq!(root.join()?.words(), [7], "it finds the answer when it goes on");
        Ok(())
    })
}

#[test]
fn what_a_call_to_a_dead_server_carried_is_not_held() -> Result<(), Error> {
    let (_guard, _watchdog) = alone();
    let pd = patient(WaitPolicy::Adaptive)?;
    let third = peer(&pd)?;
    let held = || third.root.report().map(|report| (report.channels, report.rows));
    let before = held()?;
    // The server dies while its caller waits; or after he has given up.
    for given_up in [false, true] {
        let mut server = peer(&pd)?;
        server.root.name()?;
        let (caller, argument) = (server.root.clone(), third.root.new_object()?);
        let deadline = Deadline::After(Duration::from_secs(if given_up { 1 } else { 30 }));
        let call = std::thread::spawn(move || {
            caller.0.call_with(&request(Op::Hold, &[], &[&argument])?, &mut MsgBuf::new(), deadline)
        });
        assert!(eventually(|| server.root.report().is_ok_and(|report| report.held == 1)));
        if given_up {
            assert!(eventually(|| call.is_finished()));
        }
        child(&mut server).kill()?;
        let expected = if given_up { Error::DeadlineExceeded } else { Error::Disconnected };
        assert_eq!(call.join().expect("it only asks"), Err(expected));
        // We have a capability to the dead server, and nobody has what it was given.
        assert!(eventually(|| held() == Ok(before)), "given up: {given_up}; {:?} of {before:?}", held());
        assert_eq!(server.root.name(), Err(Error::Disconnected));
    }
    Ok(())
}
