//! Answers given later, given up, or not waited for.

use crate::{Place, Processes};
use portcullis_ipc::{Deadline, Error};
use portcullis_tests::host::Host;
use portcullis_tests::resources::eventually;
use portcullis_tests::service::Op;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const NEVER: Duration = Duration::ZERO;
/// Lanes of a channel, and so calls that can be under way in it.
const LANES: u64 = 16;

/// Starts a call on a thread of its own that the server holds.
fn hold(host: &Host) -> JoinHandle<Result<Vec<u64>, Error>> {
    let root = host.root.clone();
    std::thread::spawn(move || root.numbers(Op::Hold, &[], &[]))
}

/// Makes calls that we do not wait for until the server holds one: what it has not taken when we give up is withdrawn.
fn cancel(host: &Host) {
    let held = || host.root.report().map(|report| report.held);
    cancel_until_more(host, held);
}

/// As [`cancel`]; how many calls are held is asked for in another way.
fn cancel_until_more(host: &Host, held: impl Fn() -> Result<u64, Error>) {
    let before = held().expect("the server answers");
    let soon = Deadline::After(Duration::from_millis(1));
    assert!(eventually(|| {
        let result = host.root.ask_until(soon, Op::Hold, &[]).map(drop);
        assert_eq!(result, Err(Error::DeadlineExceeded));
        held() == Ok(before + 1)
    }));
}

fn is_held(host: &Host, count: u64) -> bool {
    eventually(|| host.root.report().is_ok_and(|report| report.held == count))
}

pub(crate) fn g8_answers_are_given_later_and_in_any_order<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let mut callers = Vec::new();
    for count in 1..=5 {
        callers.push(hold(&host));
        assert!(is_held(&host, count));
    }
    // Others are served meanwhile.
    assert_eq!(host.root.numbers(Op::Echo, &[1], &[])?, [1]);
    for (place, caller) in [3, 0, 1, 1, 0].into_iter().zip([3, 0, 2, 4, 1]) {
        assert_eq!(host.root.numbers(Op::AnswerHeld, &[place, caller], &[])?, [1]);
    }
    for (number, caller) in (0..).zip(callers) {
        assert_eq!(caller.join().expect("no caller panics")?, [number]);
    }
    Ok(())
}

pub(crate) fn a_dropped_caller_is_told<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let caller = hold(&host);
    assert!(is_held(&host, 1));
    host.root.ask(Op::DropHeld, &[0], &[])?;
    assert_eq!(caller.join().expect("the caller does not panic"), Err(Error::Abandoned));
    host.root.name().map(drop)
}

pub(crate) fn a_cancelled_calls_lane_comes_back<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    // More than there are lanes, so that every lane has come back at least once.
    for _ in 0..3 * LANES {
        cancel(&host);
        assert!(is_held(&host, 1));
        assert_eq!(host.root.numbers(Op::AnswerHeld, &[0, 7], &[])?, [1], "late, and no error");
        assert_eq!(host.root.numbers(Op::Echo, &[8], &[])?, [8], "nobody gets another's late answer");
    }
    Ok(())
}

pub(crate) fn what_is_given_up_before_it_is_taken_is_not_carried_out<P: Place>() -> Result<(), Error> {
    let (host, inner) = (P::start()?, P::start()?);
    let number = host.root.keep(&inner.root)?;
    let root = host.root.clone();
    // The server waits for another one, which waits for us.
    let busy = std::thread::spawn(move || root.call_kept(number, Op::Hold, NEVER, &[]).map(drop));
    assert!(is_held(&inner, 1));
    let soon = Deadline::After(Duration::from_millis(1));
    for _ in 0..LANES / 2 {
        let result = host.root.ask_until(soon, Op::Hold, &[]).map(drop);
        assert_eq!(result, Err(Error::DeadlineExceeded));
    }
    inner.root.ask(Op::AnswerHeld, &[0], &[])?;
    busy.join().expect("the caller does not panic")?;
    assert_eq!(host.root.report()?.held, 0);
    // And their lanes are back.
    (0..2 * LANES).try_for_each(|_| host.root.name().map(drop))
}

pub(crate) fn a_cancelled_calls_late_grant_is_given_back<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let gift = P::start()?;
    let objects = host.root.new_objects(2)?;
    let rows = || host.root.report().map(|report| report.rows);
    let before = rows()?;
    let channels = gift.root.report()?.channels;
    cancel(&host);
    assert!(is_held(&host, 1));
    let granted = [&objects[0], &objects[1], &gift.root];
    assert_eq!(host.root.numbers(Op::AnswerHeld, &[0], &granted)?, [1]);
    drop(objects);
    let expected = before - if P::ROWS { 2 } else { 0 };
    assert!(eventually(|| rows() == Ok(expected)), "{:?} rows, {before} before the drop", rows());
    assert!(eventually(|| gift.root.report().is_ok_and(|report| report.channels == channels)));
    Ok(())
}

pub(crate) fn a_caller_waits_for_a_cancelled_calls_lane<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    // Somebody with a channel of his own, since ours will have no lane left.
    let other = Processes::start()?;
    let number = other.root.keep(&host.root)?;
    let held = || Ok(other.root.call_kept(number, Op::Report, NEVER, &[])?.words()[4]);
    for count in 1..=LANES {
        cancel_until_more(&host, held);
        assert_eq!(held(), Ok(count));
    }
    let soon = Deadline::After(Duration::from_millis(5));
    assert_eq!(host.root.ask_until(soon, Op::Name, &[]).map(drop), Err(Error::Busy), "no lane is left");

    let root = host.root.clone();
    let waiting = std::thread::spawn(move || {
        let (start, patient) = (Instant::now(), Deadline::After(Duration::from_secs(20)));
        root.ask_until(patient, Op::Name, &[]).map(|_| start.elapsed())
    });
    // It is waiting by then, or calls at once when it comes to it: the same is asked of both.
    (0..50).try_for_each(|_| held().map(drop))?;
    assert_eq!(other.root.call_kept(number, Op::AnswerHeld, NEVER, &[3])?.words(), [1]);
    let time = waiting.join().expect("the caller does not panic")?;
    assert!(time < Duration::from_secs(10), "served when a lane came back and not {time:?} later");
    Ok(())
}
