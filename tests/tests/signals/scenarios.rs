//! Scenarios that Genode runs against its own implementation.

use crate::figure::has_rung;
use crate::{Outcome, Place};
use portcullis_rpc::{Error, SignalCapability};
use portcullis_tests::resources::eventually;
use portcullis_tests::station::{Ring, Station, Task, Tower};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) fn scenario_signal_1_a_slow_handler_runs_after_the_last_submit<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let bell = root.lone_bell(0, false, Task::Work(500))?;
    for _ in 0..100 {
        bell.submit();
    }
    // A call waits for its turn, and so for the handler that was running; after that the last submit has its own run.
    assert!(has_rung(&host, 0, 1));
    let before = root.count(0)?;
    bell.submit();
    assert!(has_rung(&host, 0, before + 1), "after the last submit");
    Ok(())
}

pub(crate) fn scenario_signal_2_a_flood<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let bell = root.lone_bell(0, false, Task::Note)?;
    let length = if cfg!(debug_assertions) { 300 } else { 5_000 };
    let end = Instant::now() + Duration::from_millis(length);
    let mut submits = 0_u64;
    while Instant::now() < end {
        (0..100).for_each(|_| bell.submit());
        submits += 100;
        if submits.is_multiple_of(10_000) {
            root.work(0)?;
        }
    }
    let runs = root.count(0)?;
    assert!((1..=submits).contains(&runs), "{runs} runs of {submits}");
    bell.submit();
    assert!(has_rung(&host, 0, runs + 1));
    Ok(())
}

pub(crate) fn scenario_signal_3_two_receivers_in_any_order<P: Place>() -> Outcome {
    let receivers = [P::start()?, P::start()?];
    let bells = [0, 1].map(|place: usize| receivers[place].root.client().lone_bell(0, false, Task::Note));
    let [one, other] = bells;
    let (one, other) = (one?, other?);
    // Both are busy while signals come, and come to them in another order than they were submitted in.
    std::thread::scope(|scope| {
        scope.spawn(|| receivers[0].root.client().work(30_000));
        one.submit();
        other.submit();
        one.submit();
        assert!(has_rung(&receivers[1], 0, 1));
        assert!(has_rung(&receivers[0], 0, 1));
    });
    Ok(())
}

pub(crate) fn scenario_signal_4_a_submit_after_dissolve_is_harmless<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let (gone, stays) = (root.lone_bell(0, false, Task::Note)?, root.lone_bell(1, false, Task::Note)?);
    gone.submit();
    assert!(has_rung(&host, 0, 1));
    assert!(root.end_bell(gone.clone())?);
    assert_eq!(root.end_bell(gone.clone()), Err(Error::InvalidCapability), "it is dead");
    let runs = root.count(0)?;
    // The next context has its place, and is not submitted to by it.
    let next = root.lone_bell(2, false, Task::Note)?;
    for _ in 0..100 {
        gone.submit();
    }
    stays.submit();
    next.submit();
    assert!(has_rung(&host, 1, 1) && has_rung(&host, 2, 1));
    gone.submit();
    root.work(0)?;
    assert_eq!(root.count(0)?, runs);
    assert_eq!(root.holdings()?.violations, 0, "nobody minds");
    Ok(())
}

pub(crate) fn scenario_signal_5_dissolve_while_a_signal_is_in_delivery<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    // Signals come all the time. When a dissolve has answered, no handler begins any more, and none was under way.
    for round in 0..30 {
        let bell = root.lone_bell(round, round % 2 == 0, Task::Work(50))?;
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| -> Outcome {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    bell.submit();
                }
            });
            let ended = (|| {
                assert!(has_rung(&host, round, 2));
                assert!(root.end_bell(bell.clone())?);
                let holdings = root.holdings()?;
                let counts = [root.count(round)?, {
                    root.work(100)?;
                    root.count(round)?
                }];
                assert_eq!(counts[0], counts[1], "a handler ran after the end");
                // Its object had no interface, and ended with it, between handlers.
                assert_eq!((holdings.contexts, holdings.drops), (0, (round + 1, 0)));
                Ok(())
            })();
            stop.store(true, Ordering::Relaxed);
            ended
        })?;
    }
    Ok(())
}

pub(crate) fn scenario_signal_6_many_contexts_come_and_go<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let rows = root.holdings()?.rows;
    for round in 0..10_u32 {
        let count = 200 + 5 * round;
        let bells = (0..count)
            .map(|bell| root.lone_bell(1_000 * round + bell, false, Task::Note))
            .collect::<Result<Vec<_>, _>>()?;
        bells.iter().rev().for_each(SignalCapability::submit);
        assert!((0..count).all(|bell| has_rung(&host, 1_000 * round + bell, 1)));
        assert_eq!(root.holdings()?.contexts, count);
        if P::ROWS {
            assert_eq!(root.holdings()?.rows, rows + count);
        }
        for bell in bells {
            assert!(root.end_bell(bell)?);
        }
        assert_eq!(root.holdings()?.contexts, 0);
    }
    assert!(eventually(|| root.holdings().is_ok_and(|holdings| holdings.rows == rows)), "all rows are back");
    Ok(())
}

pub(crate) fn scenario_signal_7_a_handler_waits_for_io_and_nothing_else<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let tower = root.tower()?;
    let application = tower.client().bell(0, false, Task::Note)?;
    let io = tower.client().bell(1, true, Task::Note)?;
    let other_application = root.lone_bell(2, false, Task::Note)?;
    std::thread::scope(|scope| -> Outcome {
        let waits = scope.spawn(|| tower.client().listen(2, 20_000));
        application.submit();
        other_application.submit();
        // A call comes, too, and waits.
        let calls = scope.spawn(|| root.work(0));
        io.submit();
        // The second one, once the first was taken: until then they are one.
        while !waits.is_finished() {
            io.submit();
            std::thread::yield_now();
        }
        assert_eq!(waits.join().expect("no panic")?, 2);
        calls.join().expect("no panic")?;
        Ok(())
    })?;
    assert!(has_rung(&host, 0, 1) && has_rung(&host, 2, 1), "what was put off comes");
    let rings = root.rings()?;
    let nested = rings.iter().filter(|ring| ring.depth != 0);
    assert_eq!(
        nested.copied().collect::<Vec<_>>(),
        [Ring { bell: 1, depth: 1 }; 2],
        "I/O within, nothing else"
    );
    assert!(rings.contains(&Ring { bell: 0, depth: 0 }) && rings.contains(&Ring { bell: 2, depth: 0 }));
    Ok(())
}

pub(crate) fn scenario_signal_8_senders_and_receivers_deep_nesting<P: Place>() -> Outcome {
    const PAIRS: u32 = 3;
    const SIGNALS: u64 = 300;
    const DEPTH: u32 = 20;
    let host = P::start()?;
    let mut root = host.root.client();
    let towers = (0..PAIRS).map(|_| root.tower()).collect::<Result<Vec<_>, _>>()?;
    // The handler of each runs within itself, that deep, with the object that it lends to itself.
    let bells = (0..)
        .zip(&towers)
        .map(|(bell, tower)| tower.client().bell(bell, true, Task::Dive(DEPTH)))
        .collect::<Result<Vec<_>, _>>()?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for bell in &bells {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    bell.submit();
                    std::thread::yield_now();
                }
            });
        }
        let enough = (0..PAIRS).all(|bell| has_rung(&host, bell, SIGNALS));
        stop.store(true, Ordering::Relaxed);
        assert!(enough, "more than {SIGNALS} each");
    });
    let rings = root.rings()?;
    let deepest = rings.iter().map(|ring| ring.depth).max();
    assert_eq!(deepest, Some(DEPTH - 1));
    for tower in towers {
        assert!(root.end_tower(tower)?);
    }
    let holdings = root.holdings()?;
    assert_eq!((holdings.contexts, holdings.drops), (0, (PAIRS, 0)), "clean");
    Ok(())
}

pub(crate) fn scenario_entrypoint_ends_with_what_was_not_dissolved<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let tower = root.tower()?;
    let bells = [
        tower.client().bell(0, false, Task::Note)?,
        tower.client().bell(1, true, Task::Note)?,
        root.lone_bell(2, false, Task::Note)?,
    ];
    bells.iter().for_each(SignalCapability::submit);
    assert!(has_rung(&host, 2, 1));
    drop(host);
    // Whoever still holds them is harmed by nothing.
    for _ in 0..1_000 {
        bells.iter().for_each(SignalCapability::submit);
    }
    assert!(matches!(tower.client().rings(), Err(Error::Disconnected | Error::InvalidCapability)));
    bells.iter().for_each(SignalCapability::submit);
    Ok(())
}

pub(crate) fn scenario_entrypoint_300_calls_that_wait_for_signals<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let ready = root.ready_signal()?;
    let (producer, stop) = (ready.clone(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                producer.submit();
                std::thread::yield_now();
            }
        });
        let mut last = 0;
        let ended = (0..300).try_for_each(|_| {
            let now = root.await_ready(20_000)?;
            assert!(now > last, "it waited for a signal of its own");
            last = now;
            Ok::<_, Error>(())
        });
        stop.store(true, Ordering::Relaxed);
        ended
    })?;
    Ok(())
}
