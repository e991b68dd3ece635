//! What may run within what, whose turn it is, and what ends with what.

use crate::figure::has_rung;
use crate::{Outcome, Place};
use portcullis_rpc::{Error, SignalCapability};
use portcullis_tests::resources::eventually;
use portcullis_tests::station::{Host, Ring, Station, Task, Tower};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) fn a_signal_for_an_object_that_waits_further_up_stays_pending<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let (upper, lower) = (root.tower()?, root.tower()?);
    let of_upper = upper.client().bell(0, true, Task::Note)?;
    let of_lower = lower.client().bell(1, true, Task::Note)?;
    std::thread::scope(|scope| -> Outcome {
        // The upper one has the lower one listen, and lends nothing itself.
        let listens = scope.spawn(|| upper.client().have_listen(lower.clone(), 1, 20_000));
        of_upper.submit();
        while !listens.is_finished() {
            of_lower.submit();
            std::thread::yield_now();
        }
        assert_eq!(listens.join().expect("no panic")?, 1);
        Ok(())
    })?;
    assert!(has_rung(&host, 0, 1), "afterwards it comes");
    let rings = root.rings()?;
    assert!(rings.contains(&Ring { bell: 1, depth: 2 }), "{rings:?}");
    assert!(rings.iter().all(|ring| ring.bell != 0 || ring.depth == 0), "{rings:?}");
    Ok(())
}

pub(crate) fn what_is_lent_must_be_the_object_itself<P: Place>() -> Outcome {
    let host = P::start()?;
    let tower = host.root.client().tower()?;
    tower.client().bell(0, true, Task::Note)?.submit();
    assert!(has_rung(&host, 0, 1));
    assert!(tower.client().lend_other()?);
    Ok(())
}

pub(crate) fn a_handler_that_panics_harms_nobody<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let tower = root.tower()?;
    let (panics, notes) =
        (tower.client().bell(0, true, Task::Panic)?, tower.client().bell(1, true, Task::Note)?);
    for round in 1..=3 {
        panics.submit();
        assert!(has_rung(&host, 0, round));
        notes.submit();
        assert!(has_rung(&host, 1, round));
    }
    // Within another handler, which goes on waiting.
    std::thread::scope(|scope| -> Outcome {
        let listens = scope.spawn(|| tower.client().listen(1, 20_000));
        while !listens.is_finished() {
            panics.submit();
            std::thread::yield_now();
        }
        assert_eq!(listens.join().expect("no panic")?, 1);
        Ok(())
    })
}

pub(crate) fn a_handler_dissolves_its_own_context_or_object<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let tower = root.tower()?;
    let (ends, stays) =
        (tower.client().bell(0, false, Task::EndBell)?, tower.client().bell(1, false, Task::Note)?);
    for _ in 0..3 {
        ends.submit();
        stays.submit();
        root.work(0)?;
    }
    assert!(has_rung(&host, 0, 1) && has_rung(&host, 1, 1));
    assert_eq!((root.count(0)?, root.holdings()?.contexts), (1, 1));
    // The object is dropped when its handler has returned, and its contexts end with it.
    let last = tower.client().bell(2, false, Task::EndTower)?;
    last.submit();
    assert!(has_rung(&host, 2, 1));
    assert_eq!(tower.client().rings(), Err(Error::InvalidCapability));
    let rung = root.count(1)?;
    stays.submit();
    last.submit();
    root.work(0)?;
    let holdings = root.holdings()?;
    assert_eq!((root.count(1)?, holdings.contexts, holdings.drops), (rung, 0, (1, 0)));
    Ok(())
}

pub(crate) fn an_object_without_an_interface_ends_with_its_last_context<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let objects = root.holdings()?.objects;
    let bell = root.lone_bell(0, false, Task::Note)?;
    assert_eq!(root.holdings()?.objects, objects + 1);
    assert!(root.end_bell(bell)?);
    assert_eq!((root.holdings()?.objects, root.holdings()?.drops), (objects, (1, 0)));
    // That of an object with an interface does not end it.
    let tower = root.tower()?;
    assert!(root.end_bell(tower.client().bell(0, false, Task::Note)?)?);
    assert_eq!(tower.client().rings()?, 0);
    Ok(())
}

pub(crate) fn a_wait_meets_its_deadline<P: Place>() -> Outcome {
    let host = P::start()?;
    let tower = host.root.client().tower()?;
    let application = tower.client().bell(0, false, Task::Note)?;
    application.submit();
    let start = Instant::now();
    assert_eq!(tower.client().listen(1, 50)?, 0, "there is none for I/O");
    assert!(start.elapsed() >= Duration::from_millis(50));
    // Nor longer than its caller waits.
    let start = Instant::now();
    let soon = portcullis_rpc::Deadline::After(Duration::from_millis(50));
    let given_up = tower.client().with_deadline(soon).listen(1, 60_000);
    // The entrypoint knows when its caller gives up, and may be back before that.
    assert!(matches!(given_up, Ok(0) | Err(Error::DeadlineExceeded)), "{given_up:?}");
    host.root.client().work(0)?;
    assert!(start.elapsed() < Duration::from_secs(10), "the entrypoint serves again");
    Ok(())
}

pub(crate) fn a_dropped_context_frees_its_row<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let tower = root.tower()?;
    let before = root.holdings()?.rows;
    for _ in 0..50 {
        // The last thing that is done with it is a submit: that counts, though the row is given back.
        let rung = root.count(0)?;
        let bells =
            (0..20).map(|_| tower.client().bell(0, false, Task::Note)).collect::<Result<Vec<_>, _>>()?;
        for bell in bells {
            bell.submit();
        }
        assert!(has_rung(&host, 0, rung + 20));
    }
    assert!(eventually(|| root.holdings().is_ok_and(|holdings| holdings.rows == before)));
    Ok(())
}

pub(crate) fn a_flood_of_signals_starves_no_call_and_a_flood_of_calls_no_signal<P: Place>() -> Outcome {
    const FLOOD: u32 = 20;
    let host = P::start()?;
    let mut root = host.root.client();
    // Each handler submits to itself, so that there are always all of them.
    for bell in 0..FLOOD {
        let context = root.lone_bell(bell, bell % 2 == 0, Task::Submit(bell))?;
        assert_eq!(root.keep(vec![context])?, bell);
        root.submit(bell, 1)?;
    }
    assert!((0..FLOOD).all(|bell| has_rung(&host, bell, 2)));
    let work = (0..200).map(|_| {
        let before = root.holdings()?.runs;
        Ok(root.holdings()?.runs - before)
    });
    let waited = work.collect::<Result<Vec<_>, Error>>()?;
    // A call waits for one signal, however many there are. Some more run while its client is on its way, which on a
    // machine under load may be for long, but not each time.
    assert!(waited.iter().any(|signals| *signals < 10), "{waited:?} signals before a call");
    (0..FLOOD).try_for_each(|bell| root.lose(bell))?;
    let notes = root.lone_bell(100, false, Task::Note)?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut root = host.root.client();
                while !stop.load(Ordering::Relaxed) {
                    let _ = root.work(100);
                }
            });
        }
        for round in 1..=20 {
            notes.submit();
            assert!(has_rung(&host, 100, round));
        }
        stop.store(true, Ordering::Relaxed);
    });
    Ok(())
}

pub(crate) fn every_signal_through_portals_that_fold_arrives<P: Place>() -> Outcome {
    const CONTEXTS: u32 = 60;
    let (receiver, middle, producer) = (P::start()?, P::start()?, P::start()?);
    let mut root = receiver.root.client();
    let before = root.holdings()?;
    for bell in 0..CONTEXTS {
        let context = root.lone_bell(bell, false, Task::Note)?;
        let number = middle.root.client().keep(vec![context])?;
        let given = middle.root.client().give(number)?.expect("it was kept");
        middle.root.client().lose(number)?;
        // At once, before its entrypoint has taken it up, while it folds, or afterwards; and dropped at once, or not.
        given.submit();
        if bell % 3 == 0 {
            root.work(0)?;
            given.submit();
        }
        let kept = if bell % 2 == 0 { Some(producer.root.client().keep(vec![given])?) } else { None };
        if let Some(kept) = kept {
            producer.root.client().submit(kept, 1)?;
            producer.root.client().lose(kept)?;
        }
    }
    assert!((0..CONTEXTS).all(|bell| has_rung(&receiver, bell, 1)));
    if P::ROWS {
        // Whoever keeps the first portal of a group keeps the channel, and nothing else.
        assert!(eventually(|| root.holdings().is_ok_and(|now| now.rows <= before.rows + 6)));
    }
    Ok(())
}

pub(crate) fn contexts_take_turns<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let bells =
        (0..5).map(|bell| root.lone_bell(bell, bell == 2, Task::Work(100))).collect::<Result<Vec<_>, _>>()?;
    flood(&host, &bells)?;
    // Each has its run before any has a third one.
    let rings = root.rings()?;
    let counts: Vec<_> = (0..5).map(|bell| rings.iter().filter(|ring| ring.bell == bell).count()).collect();
    let (least, most) = (counts.iter().min(), counts.iter().max());
    assert!(most <= least.map(|least| 4 * least + 4).as_ref(), "{counts:?}");
    Ok(())
}

/// Submits to all of them at once, for some rounds.
fn flood(host: &Host, bells: &[SignalCapability]) -> Outcome {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                bells.iter().for_each(SignalCapability::submit);
                std::thread::yield_now();
            }
        });
        let all = (0..5).all(|bell| has_rung(host, bell, 10));
        stop.store(true, Ordering::Relaxed);
        assert!(all, "each has its turns");
    });
    Ok(())
}
