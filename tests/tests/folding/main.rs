//! Capabilities of one entrypoint that come by one way share a channel, whoever hands them on.

mod allowances;
mod home;
mod introducer;
mod raw;

use portcullis_ipc::{Deadline, Error, Limits};
use portcullis_tests::executor::block_on;
use portcullis_tests::host::Host;
use portcullis_tests::remote::{Remote, Report, objects};
use portcullis_tests::resources::{Resources, eventually};
use portcullis_tests::service::{Op, words};
use portcullis_tests::stopped::Stopped;
use portcullis_tests::watchdog::Watchdog;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a test may take.
const LIMIT: Duration = Duration::from_secs(300);
const NEVER: Duration = Duration::ZERO;

/// They count the descriptors of this process, and so run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> (MutexGuard<'static, ()>, Watchdog) {
    (ALONE.lock().unwrap_or_else(PoisonError::into_inner), Watchdog::start(LIMIT))
}

fn peer() -> Result<Host, Error> {
    Host::process(env!("CARGO_BIN_EXE_peer"), Limits { rows: 4_096, ..Limits::default() })
}

fn stop(host: &mut Host) -> Result<Stopped, Error> {
    Stopped::stop(host.child().expect("it is a process").id())
}

/// The capability comes back to us by way of that peer: as a portal. The peer keeps it, and so its channel, whose portals
/// are of one group.
fn by_way_of(intermediary: &Host, capability: &Remote) -> Result<Remote, Error> {
    let number = intermediary.root.keep(capability)?;
    Ok(objects(&mut intermediary.root.ask(Op::Give, &[number], &[])?).remove(0))
}

/// What stays when everything is settled: channels and rows, descriptors and mappings.
fn holdings(report: Report) -> [u64; 4] {
    [report.channels, report.rows, report.descriptors, report.mappings]
}

/// Hands so many new objects of the origin to the holder, who calls none of them. Answers the objects' names and the
/// holder's numbers.
fn hand_on(origin: &Host, holder: &Host, count: u64) -> Result<Vec<(u64, u64)>, Error> {
    // Those that have not folded count against our budget of portals.
    const AT_ONCE: u64 = 100;
    let mut handed = Vec::new();
    for number in 0..count {
        let object = origin.root.new_object()?;
        handed.push((object.name()?, holder.root.keep(&object)?));
        if number % AT_ONCE == 0 {
            // Ours and the holder's.
            assert!(eventually(|| origin.root.report().is_ok_and(|report| report.channels == 2)));
        }
    }
    Ok(handed)
}

#[test]
fn g4_a_thousand_capabilities_through_an_intermediary_take_as_many_descriptors_as_ten() -> Result<(), Error> {
    let _alone = alone();
    let held = |count| {
        let (origin, holder) = (peer()?, peer()?);
        let handed = hand_on(&origin, &holder, count)?;
        Ok::<_, Error>((origin, holder, handed))
    };
    let few = held(10)?;
    // Ours is the root, theirs are the objects.
    assert!(eventually(|| few.0.root.report().is_ok_and(|it| (it.channels, it.rows) == (2, 11))));
    let many = held(1_000)?;
    assert!(eventually(|| many.0.root.report().is_ok_and(|it| (it.channels, it.rows) == (2, 1_001))));
    let same = |report: Report| (report.descriptors, report.mappings);
    for (few, many) in [(&few.0, &many.0), (&few.1, &many.1)] {
        let both = || Ok::<_, Error>((same(few.root.report()?), same(many.root.report()?)));
        // Mappings: those of its memory may be one or two more, which are no channels.
        let alike = |((descriptors, mappings), (more, more_mappings)): (_, (u64, u64))| {
            more == descriptors && more_mappings <= mappings + 8
        };
        assert!(eventually(|| both().is_ok_and(alike)), "{:?}", both());
    }
    let (origin, holder, handed) = many;
    for (name, number) in handed {
        assert_eq!(holder.root.call_kept(number, Op::Name, NEVER, &[])?.words(), [name, 0]);
    }
    assert_eq!(origin.root.report()?.channels, 2);
    Ok(())
}

#[test]
fn g4_delegations_and_drops_without_end_leave_everything_as_before() -> Result<(), Error> {
    let _alone = alone();
    let rounds = std::env::var("DELEGATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(5_000);
    let (origin, holder) = (peer()?, peer()?);
    let lasting = origin.root.new_object()?;
    let round = |number: u64| {
        let object = if number.is_multiple_of(2) { lasting.clone() } else { origin.root.new_object()? };
        let kept = holder.root.keep(&object)?;
        // Used before it has folded, or while it folds, or dropped without either.
        if number.is_multiple_of(3) {
            assert_eq!(holder.root.call_kept(kept, Op::Name, NEVER, &[])?.words(), [object.name()?, 0]);
        }
        if number.is_multiple_of(5) {
            let nested = holder.root.call_kept_as_task(kept, Op::Name, NEVER)?;
            assert_eq!(nested.words(), [object.name()?, 0]);
        }
        holder.root.ask(Op::Drop, &[kept], &[]).map(drop)
    };
    // What is started when it is first needed is there; and one capability stays, so that its channel does.
    let lasts = holder.root.keep(&origin.root)?;
    (0..100).try_for_each(round)?;
    let now = || {
        // What they have given back is taken up when they call.
        holder.root.call_kept(lasts, Op::Name, NEVER, &[])?;
        let ours = Resources::of_this_process().descriptors;
        Ok::<_, Error>((holdings(origin.root.report()?), holdings(holder.root.report()?), ours))
    };
    let (mut before, mut calm) = (now()?, 0);
    // Quiet for a while, and with no row of a released object.
    assert!(
        eventually(|| {
            let then = std::mem::replace(&mut before, now().expect("they answer"));
            calm = if then == before && before.0[..2] == [2, 3] { calm + 1 } else { 0 };
            calm == 50
        }),
        "{before:?}"
    );
    for number in 0..rounds {
        round(number)?;
        if number % 100 == 99 {
            let folded = || origin.root.report().is_ok_and(|report| report.channels == 2);
            assert!(eventually(folded), "{:?} in round {number}", now());
        }
    }
    let slack = |a: [u64; 4], b: [u64; 4]| a[..3] == b[..3] && a[3] <= b[3] + 8;
    // Ours may be fewer: of the processes of another test that had just ended.
    let same = || now().is_ok_and(|it| slack(it.0, before.0) && slack(it.1, before.1) && it.2 <= before.2);
    assert!(eventually(same), "{:?} after {before:?}", now());
    Ok(())
}

#[test]
fn same_object_knows_a_capability_by_whatever_way_it_came() -> Result<(), Error> {
    let _alone = alone();
    let (origin, one, other) = (peer()?, peer()?, peer()?);
    let objects = origin.root.new_objects(2)?;
    let is_same = |a: &Remote, b: &Remote| a.0.same_object(&b.0, Deadline::After(Duration::from_secs(30)));
    let ways = |object: &Remote| {
        let ways = [by_way_of(&one, object)?, by_way_of(&other, object)?, by_way_of(&one, object)?];
        Ok::<_, Error>([&ways[..], std::slice::from_ref(object)].concat())
    };
    let (first, second) = (ways(&objects[0])?, ways(&objects[1])?);
    for a in &first {
        for b in &first {
            assert_eq!(is_same(a, b), Ok(true), "{a:?} and {b:?}");
        }
        for b in &second {
            assert_eq!(is_same(a, b), Ok(false), "{a:?} and {b:?}");
        }
        assert_eq!(is_same(a, &one.root), Ok(false));
    }
    // Of an object that is no more, nobody can tell.
    origin.root.ask(Op::Dissolve, &[], &[&objects[0]])?;
    assert_eq!(is_same(&first[0], &first[1]), Err(Error::InvalidCapability));
    drop(origin);
    assert_eq!(is_same(&second[0], &second[1]), Err(Error::Disconnected));
    Ok(())
}

#[test]
fn same_object_knows_its_own_by_whatever_way_it_came() -> Result<(), Error> {
    let _alone = alone();
    let (own, one) = (Host::thread(Limits::default())?, peer()?);
    let is_same = |a: &Remote, b: &Remote| a.0.same_object(&b.0, Deadline::After(Duration::from_secs(30)));
    let back = by_way_of(&one, &own.root)?;
    assert_eq!(is_same(&back, &own.root), Ok(true));
    assert_eq!(is_same(&own.root, &back), Ok(true));
    assert_eq!(is_same(&back, &own.root.new_object()?), Ok(false));
    Ok(())
}

#[test]
fn a_capability_that_came_as_a_portal_comes_home_as_what_it_is() -> Result<(), Error> {
    let _alone = alone();
    let (mut origin, one) = (peer()?, peer()?);
    let objects = origin.root.new_objects(3)?;
    let names = objects.iter().map(Remote::name).collect::<Result<Vec<_>, _>>()?;
    let called = by_way_of(&one, &objects[0])?;
    assert_eq!(called.name()?, names[0]);
    // Used before its token can have come: in the call of a task, and in that of a thread.
    let mut early = |object| {
        let stopped = stop(&mut origin)?;
        by_way_of(&one, object).inspect(|_| drop(stopped))
    };
    let second = early(&objects[1])?;
    let answer = block_on(called.ask_async(Op::IsMine, &[], &[&second]))?;
    assert_eq!(words(answer.data()), [1, names[1]]);
    let third = early(&objects[2])?;
    assert_eq!(called.numbers(Op::IsMine, &[], &[&third])?, [1, names[2]]);
    Ok(())
}

#[test]
fn a_task_that_does_not_wait_for_the_fold_calls_over_a_channel_meanwhile() -> Result<(), Error> {
    let _alone = alone();
    let (mut origin, one) = (peer()?, peer()?);
    let objects = origin.root.new_objects(2)?;
    let names = objects.iter().map(Remote::name).collect::<Result<Vec<_>, _>>()?;
    let called = by_way_of(&one, &objects[0])?;
    assert_eq!(called.name()?, names[0]);
    assert!(eventually(|| origin.root.report().is_ok_and(|report| report.channels == 3)));
    let stopped = stop(&mut origin)?;
    let early = by_way_of(&one, &objects[1])?;
    let soon = Deadline::After(Duration::from_millis(20));
    assert_eq!(block_on(early.ask_async_until(soon, Op::Name, &[])).err(), Some(Error::DeadlineExceeded));
    // A thread goes the same way by now; and somebody else is given it.
    assert_eq!(early.ask_until(soon, Op::Name, &[]).err(), Some(Error::DeadlineExceeded));
    let number = one.root.keep(&early)?;
    drop(stopped);
    assert_eq!(block_on(early.numbers_async(Op::Name, &[]))?[0], names[1]);
    assert_eq!(one.root.call_kept(number, Op::Name, NEVER, &[])?.words(), [names[1], 0]);
    one.root.ask(Op::Drop, &[number], &[])?;
    // That which it was meanwhile has ended, and it goes on.
    let channels = || origin.root.report().map(|report| report.channels);
    assert!(eventually(|| channels() == Ok(3)), "{:?}", channels());
    assert_eq!(early.name()?, names[1]);
    Ok(())
}

#[test]
fn a_portal_whose_server_dies_is_dead() -> Result<(), Error> {
    let _alone = alone();
    let (mut origin, one) = (peer()?, peer()?);
    let objects = origin.root.new_objects(2)?;
    let called = by_way_of(&one, &objects[0])?;
    called.name()?;
    let stopped = stop(&mut origin)?;
    let fresh = by_way_of(&one, &objects[1])?;
    let waits = std::thread::scope(|scope| {
        // Waits for the fold, without a deadline.
        let waits = scope.spawn(|| fresh.ask_until(Deadline::Never, Op::Name, &[]).err());
        origin.child().expect("it is a process").kill().expect("it is ours");
        drop(stopped);
        waits.join().expect("it does not panic")
    });
    assert_eq!(waits, Some(Error::Disconnected));
    assert_eq!(block_on(fresh.ask_async(Op::Name, &[], &[])).err(), Some(Error::Disconnected));
    Ok(())
}
