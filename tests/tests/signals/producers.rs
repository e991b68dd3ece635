//! What producers get of handlers in other processes that hang or die, and what many of them at once come to.

use crate::figure::has_rung;
use crate::{LIMIT, Outcome, Place, Processes};
use portcullis_entrypoint::{Entrypoint, Error as EntrypointError, SignalLevel, SignalReceiver};
use portcullis_ipc::{Deadline, Pd};
use portcullis_rpc::SignalCapability;
use portcullis_tests::resources::{eventually, sleeps};
use portcullis_tests::station::{Station, Task};
use portcullis_tests::stopped::Stopped;
use portcullis_tests::watchdog::Watchdog;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const PRODUCERS: u32 = 8;
/// Submits of all of them together.
const SUBMITS: u32 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
/// What a hundred thousand submits may take on a machine under load: far less than one wait for a handler.
const SOON: Duration = Duration::from_secs(5);

fn submits_pass(bell: &SignalCapability) {
    let start = Instant::now();
    (0..100_000).for_each(|_| bell.submit());
    let took = start.elapsed();
    assert!(took < SOON, "the submits took {took:?}");
}

#[test]
fn fig6_use_c1_a_submit_returns_at_once_though_the_handler_hangs() -> Outcome {
    let _watchdog = Watchdog::start(LIMIT);
    let mut host = Processes::start()?;
    let bell = host.root.client().lone_bell(0, false, Task::Note)?;
    bell.submit();
    assert!(has_rung(&host, 0, 1));
    let process = host.child().expect("a process").id();
    let before = host.root.client().count(0)?;
    let stopped = Stopped::stop(process)?;
    submits_pass(&bell);
    drop(stopped);
    assert!(has_rung(&host, 0, before + 1), "when it goes on, the handler runs");
    Ok(())
}

#[test]
fn what_is_submitted_before_a_portal_is_taken_up_arrives_though_nobody_holds_it_any_more() -> Outcome {
    let _watchdog = Watchdog::start(LIMIT);
    let (mut host, producer) = (Processes::start()?, Processes::start()?);
    let bell = host.root.client().lone_bell(0, false, Task::Note)?;
    let process = host.child().expect("a process").id();
    let stopped = Stopped::stop(process)?;
    let mut producer = producer.root.client();
    let kept = producer.keep(vec![bell])?;
    producer.submit(kept, 1)?;
    producer.lose(kept)?;
    drop(stopped);
    assert!(has_rung(&host, 0, 1));
    Ok(())
}

#[test]
fn fig6_use_c1_a_submit_returns_at_once_though_the_handler_is_dead() -> Outcome {
    let _watchdog = Watchdog::start(LIMIT);
    let mut host = Processes::start()?;
    let (noted, fresh) = (host.root.client().lone_bell(0, false, Task::Note)?, host.root.client().tower()?);
    noted.submit();
    assert!(has_rung(&host, 0, 1));
    host.child().expect("a process").kill()?;
    submits_pass(&noted);
    // Nor by what was never one.
    submits_pass(&SignalCapability::from_untyped(fresh.into_untyped()));
    Ok(())
}

#[test]
fn g21_a_server_never_waits_for_its_client_and_a_parent_never_for_its_child() -> Outcome {
    let _watchdog = Watchdog::start(LIMIT);
    let (mut server, mut client) = (Processes::start()?, Processes::start()?);
    // The client is told by signals, which it does not take; nobody calls it.
    let changed = client.root.client().lone_bell(0, false, Task::Note)?;
    let number = server.root.client().keep(vec![changed.clone()])?;
    let hangs = Stopped::stop(client.child().expect("a process").id())?;
    let start = Instant::now();
    for _ in 0..100 {
        server.root.client().submit(number, 1_000)?;
        // The parent, too, tells its child.
        changed.submit();
    }
    assert!(start.elapsed() < 2 * SOON);
    drop(hangs);
    assert!(has_rung(&client, 0, 1));
    client.child().expect("a process").kill()?;
    server.root.client().submit(number, 100_000)?;
    assert!(server.child().is_some());
    Ok(())
}

#[test]
fn a_million_submits_of_eight_processes_run_the_handler_after_the_last() -> Outcome {
    let _watchdog = Watchdog::start(LIMIT);
    let receiver = Processes::start()?;
    let bell = receiver.root.client().lone_bell(0, false, Task::Note)?;
    let producers = (0..PRODUCERS).map(|_| Processes::start()).collect::<Result<Vec<_>, _>>()?;
    for producer in &producers {
        producer.root.client().keep(vec![bell.clone()])?;
    }
    std::thread::scope(|scope| {
        let storms: Vec<_> = producers
            .iter()
            .map(|producer| scope.spawn(|| producer.root.client().storm(0, SUBMITS / PRODUCERS, 1)))
            .collect();
        storms.into_iter().try_for_each(|storm| storm.join().expect("no panic"))
    })?;
    let runs = receiver.root.client().count(0)?;
    assert!(has_rung(&receiver, 0, 1) && runs <= SUBMITS.into(), "{runs} runs");
    // From many threads of one process, through one channel.
    producers[0].root.client().storm(0, SUBMITS / PRODUCERS, PRODUCERS)?;
    assert!(has_rung(&receiver, 0, runs + 1));
    Ok(())
}

/// What the handler finds tells that it ran after the last submit, and not only at some time.
#[test]
fn a_million_submits_of_eight_threads_are_seen_by_the_handler() -> Outcome {
    let _watchdog = Watchdog::start(LIMIT);
    let pd = Pd::new()?;
    let entrypoint = Entrypoint::new(&pd)?;
    let counters: Arc<[AtomicU64; PRODUCERS as usize]> = Arc::default();
    let (of_handler, runs) = (counters.clone(), Rc::new(Cell::new(0_u64)));
    let own_runs = runs.clone();
    let bell = entrypoint.manage_signal((), SignalLevel::Application, move |(), entrypoint| {
        own_runs.set(own_runs.get() + 1);
        // Relaxed: the signal orders it.
        let seen: u64 = of_handler.iter().map(|counter| counter.load(Ordering::Relaxed)).sum();
        if seen == u64::from(SUBMITS) {
            entrypoint.stop();
        }
    });
    std::thread::scope(|scope| {
        for counter in counters.iter() {
            let bell = bell.clone();
            scope.spawn(move || {
                for count in 1..=u64::from(SUBMITS / PRODUCERS) {
                    counter.store(count, Ordering::Relaxed);
                    bell.submit();
                }
            });
        }
        entrypoint.run_until(Deadline::After(Duration::from_secs(60)))
    })?;
    let seen: u64 = counters.iter().map(|counter| counter.load(Ordering::Relaxed)).sum();
    assert_eq!(seen, u64::from(SUBMITS));
    assert!((1..=u64::from(SUBMITS)).contains(&runs.get()));
    Ok(())
}

#[test]
fn a_thread_receives_signals_of_other_processes() -> Outcome {
    let _watchdog = Watchdog::start(LIMIT);
    let mut receiver = SignalReceiver::new(&Pd::new()?)?;
    let producers = [Processes::start()?, Processes::start()?, Processes::start()?];
    let mut contexts = Vec::new();
    for producer in &producers {
        let (context, capability) = receiver.manage()?;
        producer.root.client().keep(vec![capability])?;
        contexts.push(context);
    }
    for place in [2, 0, 1, 1, 2] {
        assert_eq!(receiver.poll()?, None);
        producers[place].root.client().submit(0, 100)?;
        assert_eq!(receiver.wait(Deadline::After(Duration::from_secs(30)))?, contexts[place]);
        // What was submitted while the first was taken.
        while receiver.poll()?.is_some() {}
    }
    let soon = Deadline::After(Duration::from_millis(20));
    assert_eq!(receiver.wait(soon), Err(EntrypointError::DeadlineExceeded));
    receiver.dissolve(contexts[0]);
    producers[0].root.client().submit(0, 100)?;
    producers[1].root.client().submit(0, 1)?;
    assert_eq!(receiver.wait(Deadline::Never)?, contexts[1]);
    assert_eq!(receiver.wait(soon), Err(EntrypointError::DeadlineExceeded), "nothing of what was dissolved");
    // One that is gone costs its producers nothing.
    drop(receiver);
    producers[2].root.client().submit(0, 100_000)?;
    Ok(())
}

#[test]
fn a_flood_of_signals_keeps_nobody_out_whose_channel_is_not_polled() -> Outcome {
    let _watchdog = Watchdog::start(LIMIT);
    let mut host = Processes::start()?;
    let mut root = host.root.client();
    // Its handler submits to itself, so that there is always a signal.
    let bell = root.lone_bell(0, false, Task::Submit(0))?;
    assert_eq!(root.keep(vec![bell])?, 0);
    let process = host.child().expect("a process").id();
    // When it has slept, it polls nobody.
    assert!(eventually(|| sleeps(process)));
    let other = Processes::start()?;
    let number = other.root.client().keep(vec![root.give(0)?.expect("it was kept")])?;
    assert!(eventually(|| sleeps(process)));
    other.root.client().submit(number, 1)?;
    std::thread::sleep(Duration::from_millis(20));
    let start = Instant::now();
    root.work(0)?;
    let took = start.elapsed();
    assert!(took < SOON, "the call took {took:?}");
    assert!(root.count(0)? > 100, "it was a flood");
    // And it goes on.
    let before = root.count(0)?;
    assert!(eventually(|| root.count(0).is_ok_and(|count| count > before + 100)));
    root.lose(0)?;
    Ok(())
}
