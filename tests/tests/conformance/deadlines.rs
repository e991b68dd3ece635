//! How long calls and waits take.

use crate::Place;
use portcullis_ipc::{Deadline, Error};
use portcullis_tests::host::Host;
use portcullis_tests::remote::Nested;
use portcullis_tests::resources::eventually;
use portcullis_tests::service::{Op, micros};
use std::time::{Duration, Instant};

const NEVER: Duration = Duration::ZERO;
/// What a machine under load may add to any deadline.
const NOISE: Duration = Duration::from_secs(5);

pub(crate) fn a_call_meets_its_deadline<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    for millis in [0, 1, 20, 100] {
        let limit = Duration::from_millis(millis);
        let start = Instant::now();
        let result = host.root.ask_until(Deadline::After(limit), Op::Hold, &[]).map(drop);
        let time = start.elapsed();
        assert_eq!(result, Err(Error::DeadlineExceeded));
        assert!(time >= limit && time < limit + NOISE, "{time:?} of {limit:?}");
        // Unless it was given up before the server took it.
        if host.root.report()?.held == 1 {
            host.root.ask(Op::AnswerHeld, &[0], &[])?;
        }
    }
    Ok(())
}

pub(crate) fn a_call_without_a_deadline_waits_longer_than_the_default<P: Place>() -> Result<(), Error> {
    // The peer's own calls have the default deadline of its domain, but for those that say otherwise.
    let host = P::start()?;
    let root = host.root.clone();
    let never = std::thread::spawn(move || root.ask_until(Deadline::Never, Op::Hold, &[]).map(drop));
    assert!(eventually(|| host.root.report().is_ok_and(|report| report.held == 1)));
    assert!(!never.is_finished());
    host.root.ask(Op::AnswerHeld, &[0], &[])?;
    never.join().expect("the caller does not panic")
}

pub(crate) fn a_nested_call_never_exceeds_what_is_left_of_the_outer_one<P: Place>() -> Result<(), Error> {
    let (inner, outer) = (P::start()?, P::start()?);
    let number = outer.root.keep(&inner.root)?;
    // Each in turn: the outer call's limit, and what the nested one asks for, which is more.
    for (limit, asked) in [(50, NEVER), (50, Duration::from_secs(60)), (200, NEVER)] {
        let limit = Duration::from_millis(limit);
        let nested = nested_until(&outer, limit, number, asked)?;
        assert!(nested >= limit / 2 && nested < limit + NOISE, "{nested:?} of {limit:?}");
    }
    // One that is shorter than what is left stays as it is.
    let short = outer.root.call_kept(number, Op::Hold, Duration::from_millis(20), &[])?;
    assert_eq!(short.result, Err("DeadlineExceeded".into()));
    assert!(short.time >= Duration::from_millis(20) && short.time < NOISE, "{:?}", short.time);
    Ok(())
}

/// Makes a call with a limit whose handler calls what does not answer: how long that nested call took.
fn nested_until(outer: &Host, limit: Duration, number: u64, asked: Duration) -> Result<Duration, Error> {
    // The handler gives up about when its own caller does: either of them may be the first.
    let order = [number, Op::Hold as u64, micros(asked)];
    let result = outer.root.ask_until(Deadline::After(limit), Op::CallKept, &order);
    assert!(matches!(result, Ok(_) | Err(Error::DeadlineExceeded)), "{result:?}");
    let nested = Nested::decode(outer.root.ask(Op::LastNested, &[], &[])?.data());
    assert_eq!(nested.result, Err("DeadlineExceeded".into()));
    Ok(nested.time)
}

pub(crate) fn what_a_call_waited_for_its_server_is_not_left_to_a_nested_one<P: Place>() -> Result<(), Error> {
    const BUSY: Duration = Duration::from_millis(1_000);
    const LIMIT: Duration = Duration::from_millis(1_200);
    let (inner, outer) = (P::start()?, P::start()?);
    let number = outer.root.keep(&inner.root)?;
    let root = outer.root.clone();
    let busy = std::thread::spawn(move || root.ask(Op::Work, &[micros(BUSY)], &[]).map(drop));
    // Until the server is at work: then even a call for nothing is not answered at once.
    let soon = Deadline::After(Duration::from_millis(20));
    assert!(eventually(|| outer.root.ask_until(soon, Op::Name, &[]).is_err()));
    let nested = nested_until(&outer, LIMIT, number, NEVER)?;
    assert!(nested < BUSY, "{nested:?}, and nearly {BUSY:?} of {LIMIT:?} had passed before");
    busy.join().expect("the caller does not panic")
}

pub(crate) fn a_nested_call_has_all_that_is_left_of_the_outer_one<P: Place>() -> Result<(), Error> {
    const WORK: Duration = Duration::from_millis(60);
    const LIMIT: Duration = Duration::from_millis(1_000);
    let (inner, outer) = (P::start()?, P::start()?);
    let number = outer.root.keep(&inner.root)?;
    (0..100).try_for_each(|_| outer.root.name().map(drop))?;
    // However long the server has been busy without a break: that was before this call.
    let others: Vec<_> = (0..3)
        .map(|_| {
            let root = outer.root.clone();
            let work = move || root.ask(Op::Work, &[micros(WORK)], &[]).map(drop);
            std::thread::spawn(move || (0..10).try_for_each(|_| work()))
        })
        .collect();
    for _ in 0..8 {
        outer.root.ask(Op::Work, &[micros(WORK)], &[])?;
    }
    let order = [number, Op::Name as u64, micros(NEVER)];
    let answer = outer.root.ask_until(Deadline::After(LIMIT), Op::CallKept, &order)?;
    assert!(Nested::decode(answer.data()).result.is_ok());
    others.into_iter().try_for_each(|other| other.join().expect("no caller panics"))
}

pub(crate) fn a_wait_meets_its_deadline<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    for millis in [0, 1, 20, 100] {
        let limit = Duration::from_millis(millis);
        let waited = host.root.numbers(Op::WaitUntil, &[micros(limit)], &[])?;
        let (met, time) = (waited[0], Duration::from_micros(waited[1]));
        assert!(met == 1 && time >= limit && time < limit + NOISE, "{time:?} of {limit:?}");
    }
    Ok(())
}
