//! Figure 6, setup and use, and the lines around it.

use crate::{Outcome, Place};
use portcullis_rpc::{Deadline, Error, SignalCapability};
use portcullis_tests::resources::{eventually, sleeps};
use portcullis_tests::station::{Host, Ring, Station, Task, Tower};

fn at_the_bottom(bell: u32) -> Ring {
    Ring { bell, depth: 0 }
}

/// Waits until a bell has rung so often.
pub(crate) fn has_rung(host: &Host, bell: u32, times: u64) -> bool {
    let mut root = host.root.client();
    eventually(|| root.count(bell).is_ok_and(|count| count >= times))
}

pub(crate) fn fig6_setup_c1_one_entrypoint_takes_calls_and_signals_and_each_source_has_a_context<P: Place>()
-> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let tower = root.tower()?;
    let bells =
        (0..5).map(|bell| tower.client().bell(bell, false, Task::Note)).collect::<Result<Vec<_>, _>>()?;
    for bell in [3, 0, 4_u32] {
        bells[bell as usize].submit();
        assert!(has_rung(&host, bell, 1));
    }
    assert_eq!(root.rings()?, [3, 0, 4].map(at_the_bottom), "each signal tells its source");
    assert_eq!(tower.client().rings()?, 3, "the handler has its object");
    assert_eq!(root.holdings()?.contexts, 5);
    Ok(())
}

pub(crate) fn fig6_setup_c2_managing_a_handler_gives_a_signal_capability<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let [one, other] = [0, 1].map(|bell| root.lone_bell(bell, false, Task::Note));
    let (one, other) = (one?, other?);
    assert!(one.same_context(&one.clone(), Deadline::Never)?);
    assert!(!one.same_context(&other, Deadline::Never)?, "each is an identity of its own");
    // It can be submitted to and not be called, whatever it is said to be.
    let mut as_tower = portcullis_rpc::Capability::<dyn Tower>::from_untyped(one.untyped().clone()).client();
    assert_eq!(as_tower.rings(), Err(Error::InvalidCapability));
    // And what can be called is not submitted to.
    let tower = root.tower()?;
    SignalCapability::from_untyped(tower.untyped().clone()).submit();
    SignalCapability::from_untyped(host.root.untyped().clone()).submit();
    one.submit();
    assert!(has_rung(&host, 0, 1));
    assert_eq!((tower.client().rings()?, root.holdings()?.runs), (0, 1));
    Ok(())
}

pub(crate) fn fig6_setup_c3_the_signal_capability_is_delegated<P: Place>() -> Outcome {
    let (receiver, middle, producer) = (P::start()?, P::start()?, P::start()?);
    let bell = receiver.root.client().lone_bell(7, false, Task::Note)?;
    let first = middle.root.client().keep(vec![bell.clone(), bell.clone()])?;
    middle.root.client().submit(first, 1)?;
    assert!(has_rung(&receiver, 7, 1), "who was given it submits");
    // From there to a third, which submits before anybody has looked at it.
    let given = middle.root.client().give(first + 1)?.expect("it was kept");
    let number = producer.root.client().keep(vec![given])?;
    producer.root.client().submit(number, 1)?;
    assert!(has_rung(&receiver, 7, 2));
    // And home: it is known there.
    let home = receiver.root.client().keep(vec![bell])?;
    receiver.root.client().submit(home, 3)?;
    assert!(has_rung(&receiver, 7, 3));
    let back = receiver.root.client().give(home)?.expect("it was kept");
    assert!(receiver.root.client().end_bell(back)?);
    assert_eq!(receiver.root.client().holdings()?.contexts, 0);
    producer.root.client().submit(number, 1)?;
    Ok(())
}

pub(crate) fn fig6_use_c2_a_busy_handler_runs_at_least_once_after_any_number_of_submits<P: Place>() -> Outcome
{
    let host = P::start()?;
    let mut root = host.root.client();
    let bell = root.lone_bell(0, false, Task::Work(2_000))?;
    let mut before = 0;
    for submits in [1, 2, 10, 1_000, 100_000] {
        (0..submits).for_each(|_| bell.submit());
        assert!(has_rung(&host, 0, before + 1), "after the last of {submits}");
        // They were counted by nobody: 2 ms a run would take minutes.
        let runs = root.count(0)? - before;
        assert!(runs <= 200, "{runs} runs");
        before += runs;
    }
    Ok(())
}

pub(crate) fn fig6_use_c3_an_idle_entrypoint_wakes_for_a_signal_or_a_call<P: Place>() -> Outcome {
    let mut host = P::start()?;
    let mut root = host.root.client();
    let bell = root.lone_bell(0, false, Task::Note)?;
    for round in 1..=5 {
        if let Some(child) = host.child() {
            let process = child.id();
            assert!(eventually(|| sleeps(process)), "nobody wants anything: it sleeps");
        }
        if round % 2 == 0 {
            root.work(0)?;
        } else {
            bell.submit();
            // Nothing but the signal wakes it.
            if let Some(child) = host.child() {
                let process = child.id();
                assert!(eventually(|| sleeps(process)));
            }
            assert!(has_rung(&host, 0, round / 2 + 1));
        }
    }
    Ok(())
}

pub(crate) fn g20_one_thread_waits_for_several_sources<P: Place>() -> Outcome {
    let receiver = P::start()?;
    let mut root = receiver.root.client();
    // A timer, an input and a network, each a component of its own.
    let sources = [P::start()?, P::start()?, P::start()?];
    let tower = root.tower()?;
    for (bell, source) in (0..).zip(&sources) {
        source.root.client().keep(vec![tower.client().bell(bell, false, Task::Note)?])?;
    }
    for (bell, source) in [(1, &sources[1]), (2, &sources[2]), (0, &sources[0]), (1, &sources[1])] {
        let before = root.count(bell)?;
        source.root.client().submit(0, 1)?;
        assert!(has_rung(&receiver, bell, before + 1));
    }
    assert_eq!(tower.client().rings()?, 4);
    // A timer serves any number of clients with its one thread: who does not react costs it nothing.
    let clients = (0..20).map(|_| P::start()).collect::<Result<Vec<_>, _>>()?;
    let mut timer = sources[0].root.client();
    let numbers = clients
        .iter()
        .map(|client| timer.keep(vec![client.root.client().lone_bell(0, false, Task::Note)?]))
        .collect::<Result<Vec<_>, _>>()?;
    for number in numbers {
        timer.submit(number, 3)?;
    }
    assert!(clients.iter().all(|client| has_rung(client, 0, 1)));
    Ok(())
}

pub(crate) fn g22_a_signal_has_no_payload<P: Place>() -> Outcome {
    let host = P::start()?;
    let bell = host.root.client().lone_bell(0, false, Task::Note)?;
    // There is nothing to be said: neither argument nor answer, and who submits says nothing by it.
    let submit: fn(&SignalCapability) = SignalCapability::submit;
    submit(&bell);
    assert!(has_rung(&host, 0, 1));
    assert_eq!(host.root.client().rings()?, [at_the_bottom(0)]);
    Ok(())
}

pub(crate) fn g33_a_signal_says_that_and_a_call_says_what<P: Place>() -> Outcome {
    // The tower's state is the number of its rings; the station there tells ours by a signal that it has changed.
    let (source, observer) = (P::start()?, P::start()?);
    let changed = observer.root.client().lone_bell(0, false, Task::Note)?;
    let number = source.root.client().keep(vec![changed])?;
    let tower = source.root.client().tower()?;
    let change = tower.client().bell(1, false, Task::Submit(number))?;
    let mut seen = 0;
    for _ in 0..20 {
        let before = observer.root.client().count(0)?;
        change.submit();
        assert!(has_rung(&observer, 0, before + 1));
        let state = tower.client().rings()?;
        assert!(state > seen, "whoever was told finds the new state");
        seen = state;
    }
    Ok(())
}
