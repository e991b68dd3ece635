//! Calls that tasks wait for.

use crate::{Place, Processes};
use portcullis_ipc::{AsyncCall, Deadline, Error, Limits, MsgBuf, WaitPolicy};
use portcullis_tests::executor::{block_on, run_all};
use portcullis_tests::host::{Host, patient};
use portcullis_tests::remote::{Remote, objects, request};
use portcullis_tests::resources::eventually;
use portcullis_tests::service::{Op, micros, words};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const NEVER: Duration = Duration::ZERO;
/// Lanes of a channel, and so calls that can be under way in it.
const LANES: u64 = 16;
/// What a machine under load may add to any deadline.
const NOISE: Duration = Duration::from_secs(5);

/// Polls a call once, so that it is sent if it can be, for a task that is never polled again.
fn poll_once(call: &mut AsyncCall) -> Poll<Result<Box<MsgBuf>, Error>> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}

fn call(remote: &Remote, op: Op, deadline: Deadline) -> Result<AsyncCall, Error> {
    Ok(remote.0.call_async_with(Box::new(request(op, &[], &[])?), deadline))
}

/// Calls that the server holds.
fn hold(host: &Host, count: u64) -> Result<Vec<AsyncCall>, Error> {
    let mut calls =
        (0..count).map(|_| call(&host.root, Op::Hold, Deadline::Never)).collect::<Result<Vec<_>, Error>>()?;
    assert!(calls.iter_mut().all(|call| poll_once(call).is_pending()));
    Ok(calls)
}

/// Asks a host by way of another, who has a channel of its own.
struct Elsewhere(Host, u64);

impl Elsewhere {
    fn of(host: &Host) -> Result<Elsewhere, Error> {
        let other = Processes::start()?;
        let number = other.root.keep(&host.root)?;
        Ok(Elsewhere(other, number))
    }

    fn ask(&self, op: Op, numbers: &[u64]) -> Result<Vec<u64>, Error> {
        Ok(self.0.root.call_kept(self.1, op, NEVER, numbers)?.words())
    }

    fn held(&self) -> Result<u64, Error> {
        Ok(self.ask(Op::Report, &[])?[4])
    }

    fn holds(&self, count: u64) -> bool {
        eventually(|| self.held() == Ok(count))
    }

    /// Gives up calls when the host has taken them, and holds so many: what is not taken is withdrawn.
    fn give_up(&self, calls: Vec<AsyncCall>, count: u64) {
        assert!(self.holds(count));
        drop(calls);
        assert!(self.holds(count));
    }
}

pub(crate) fn a_task_is_answered<P: Place>() -> Result<(), Error> {
    let (host, gift) = (P::start()?, P::start()?);
    let mine = host.root.new_object()?;
    let name = mine.name()?;
    for number in 0..100 {
        assert_eq!(block_on(host.root.numbers_async(Op::Echo, &[number, 7]))?, [number, 7]);
    }
    let mut echoed = block_on(host.root.ask_async(Op::Echo, &[1], &[&mine, &gift.root]))?;
    let echoed = objects(&mut echoed);
    assert_eq!((echoed[0].name()?, echoed[1].name()?), (name, gift.root.name()?));
    Ok(())
}

pub(crate) fn nothing_is_sent_before_the_first_poll<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let before = host.root.report()?.requests;
    let call = call(&host.root, Op::Name, Deadline::Never)?;
    assert_eq!(host.root.report()?.requests, before + 1);
    drop(call);
    assert_eq!(host.root.report()?.requests, before + 2);
    Ok(())
}

pub(crate) fn an_error_reaches_the_task<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let mut send = Box::new(MsgBuf::new());
    send.set_method(u32::MAX, 0);
    let refused = block_on(host.root.0.call_async(send)).map(drop);
    assert_eq!(refused, Err(Error::Refused(portcullis_ipc::Refusal::UnknownMethod)));
    let object = host.root.new_object()?;
    host.root.ask(Op::Dissolve, &[], &[&object])?;
    let dead = block_on(object.ask_async(Op::Echo, &[], &[])).map(drop);
    assert_eq!(dead, Err(Error::InvalidCapability));
    Ok(())
}

pub(crate) fn more_tasks_than_lanes_join<P: Place>() -> Result<(), Error> {
    const TASKS: u64 = 200;
    let host = P::start()?;
    let before = host.root.report()?;
    let root = &host.root;
    let answers = run_all((0..TASKS).map(|task| async move {
        for call in 0..10 {
            assert_eq!(root.numbers_async(Op::Echo, &[task, call]).await?, [task, call]);
        }
        Ok::<_, Error>(task)
    }));
    assert_eq!(answers, (0..TASKS).map(Ok).collect::<Vec<_>>());
    let after = host.root.report()?;
    assert_eq!((after.channels, after.rows), (before.channels, before.rows), "all of it in one channel");
    Ok(())
}

/// A mixture of tasks and threads in one channel, with portals in some answers: whoever reads the socket for its own
/// portals takes the doorbells of others.
fn mixture(host: &Host) -> Result<(), Error> {
    const EXECUTORS: u64 = 2;
    const TASKS: u64 = 24;
    const CALLS: u64 = 2_000;
    let gift = Processes::start()?;
    let gifts = host.root.keep(&gift.root)?;
    let before = host.root.report()?.requests;
    std::thread::scope(|scope| {
        let executors = (0..EXECUTORS).map(|executor| {
            let root = &host.root;
            let task = move |task: u64| async move {
                for call in 0..CALLS {
                    let sent = [executor, task, call];
                    if call % 64 == task {
                        let mut answer = loop {
                            match root.ask_async(Op::Give, &[gifts], &[]).await {
                                // The gift's own server has no room for a portal, on a busy machine.
                                Err(Error::Busy) => continue,
                                answer => break answer?,
                            }
                        };
                        assert_eq!(objects(&mut answer).len(), 1);
                    } else {
                        assert_eq!(root.numbers_async(Op::Echo, &sent).await?, sent);
                    }
                }
                Ok(())
            };
            scope.spawn(move || run_all((0..TASKS).map(task)).into_iter().collect::<Result<(), Error>>())
        });
        let threads = (0..2).map(|thread| {
            let root = &host.root;
            scope.spawn(move || {
                (0..CALLS).try_for_each(|call| {
                    if call % 8 == thread {
                        let mut answer = loop {
                            match root.ask(Op::Give, &[gifts], &[]) {
                                Err(Error::Busy) => continue,
                                answer => break answer?,
                            }
                        };
                        assert_eq!(objects(&mut answer).len(), 1);
                    }
                    assert_eq!(root.numbers(Op::Echo, &[thread, call], &[])?, [thread, call]);
                    Ok(())
                })
            })
        });
        let all: Vec<_> = executors.chain(threads).collect();
        all.into_iter().try_for_each(|one| one.join().expect("nobody panics"))
    })?;
    assert!(host.root.report()?.requests >= before + EXECUTORS * TASKS * CALLS);
    Ok(())
}

pub(crate) fn no_wake_up_is_lost<P: Place>() -> Result<(), Error> {
    mixture(&P::start()?)
}

/// The same by tasks that never look for a reply by themselves.
#[test]
fn no_wake_up_through_the_socket_is_lost() -> Result<(), Error> {
    let _watchdog = portcullis_tests::watchdog::Watchdog::start(crate::LIMIT);
    let pd = patient(WaitPolicy::Block)?;
    mixture(&Host::process_of(&pd, env!("CARGO_BIN_EXE_peer"), Limits::default())?)
}

/// The same executor that most programs have, without its timer.
pub(crate) fn tasks_run_under_tokio<P: Place>() -> Result<(), Error> {
    const TASKS: u64 = 100;
    const CALLS: u64 = 200;
    let host = P::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let root = host.root.clone();
            runtime.spawn(async move {
                for call in 0..CALLS {
                    assert_eq!(root.numbers_async(Op::Echo, &[task, call]).await?, [task, call]);
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    tasks.into_iter().try_for_each(|task| runtime.block_on(task).expect("no task panics"))?;
    let root = host.root.clone();
    let soon = Deadline::After(Duration::from_millis(20));
    let late = runtime.spawn(async move { root.ask_async_until(soon, Op::Hold, &[]).await.map(drop) });
    assert_eq!(runtime.block_on(late).expect("the task does not panic"), Err(Error::DeadlineExceeded));
    Ok(())
}

pub(crate) fn a_tasks_deadline_needs_no_timer<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    for millis in [1, 20, 100, 5] {
        let limit = Duration::from_millis(millis);
        let start = Instant::now();
        let result = block_on(host.root.ask_async_until(Deadline::After(limit), Op::Hold, &[])).map(drop);
        let time = start.elapsed();
        assert_eq!(result, Err(Error::DeadlineExceeded));
        assert!(time >= limit && time < limit + NOISE, "{time:?} of {limit:?}");
    }
    // Some may have been withdrawn before the server took them.
    let held = host.root.report()?.held;
    assert!(held <= 4);
    (0..held).try_for_each(|_| host.root.ask(Op::AnswerHeld, &[0], &[]).map(drop))?;
    // Many at once, the later ones first.
    let other = Elsewhere::of(&host)?;
    let root = &host.root;
    let limits = (1..=LANES).rev().map(|millis| Duration::from_millis(10 * millis));
    let results = run_all(limits.map(|limit| async move {
        let start = Instant::now();
        let result = root.ask_async_until(Deadline::After(limit), Op::Hold, &[]).await.map(drop);
        (limit, start.elapsed(), result)
    }));
    for (limit, time, result) in results {
        assert_eq!(result, Err(Error::DeadlineExceeded));
        assert!(time >= limit && time < limit + NOISE, "{time:?} of {limit:?}");
    }
    // There must be a lane for who ends the host.
    match other.held()? {
        0 => Ok(()),
        _ => other.ask(Op::AnswerHeld, &[0]).map(drop),
    }
}

pub(crate) fn a_task_that_gets_no_lane_is_busy_at_its_deadline<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let other = Elsewhere::of(&host)?;
    let held = hold(&host, LANES)?;
    assert!(other.holds(LANES));
    let soon = Deadline::After(Duration::from_millis(20));
    let result = block_on(host.root.ask_async_until(soon, Op::Name, &[])).map(drop);
    assert_eq!(result, Err(Error::Busy));
    drop(held);
    other.ask(Op::AnswerHeld, &[0]).map(drop)
}

pub(crate) fn dropped_calls_give_their_lanes_back<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let other = Elsewhere::of(&host)?;
    for _ in 0..3 {
        // Those that are not sent, and those that wait for a lane, leave nothing behind.
        drop(call(&host.root, Op::Hold, Deadline::Never)?);
        other.give_up(hold(&host, LANES + 4)?, LANES);
        (0..LANES).try_for_each(|_| other.ask(Op::AnswerHeld, &[0, 7]).map(drop))?;
        assert_eq!(host.root.numbers(Op::Echo, &[8], &[])?, [8], "nobody gets another's late answer");
    }
    Ok(())
}

pub(crate) fn a_task_waits_for_a_cancelled_calls_lane<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let other = Elsewhere::of(&host)?;
    // Some of them are cancelled by threads, before any task has called.
    let soon = Deadline::After(Duration::from_millis(1));
    assert!(eventually(|| {
        let result = host.root.ask_until(soon, Op::Hold, &[]).map(drop);
        assert_eq!(result, Err(Error::DeadlineExceeded));
        other.held() == Ok(LANES / 2)
    }));
    other.give_up(hold(&host, LANES / 2)?, LANES);
    for place in [3, 12] {
        let root = host.root.clone();
        let waiting = std::thread::spawn(move || {
            let start = Instant::now();
            block_on(root.ask_async_until(Deadline::After(Duration::from_secs(20)), Op::Name, &[]))
                .map(|_| start.elapsed())
        });
        // It is waiting by then, or calls at once when it comes to it: the same is asked of both.
        (0..50).try_for_each(|_| other.ask(Op::Report, &[]).map(drop))?;
        assert_eq!(other.ask(Op::AnswerHeld, &[place])?, [1]);
        let time = waiting.join().expect("the caller does not panic")?;
        assert!(time < Duration::from_secs(10), "served when a lane came back and not {time:?} later");
        // That lane is taken again.
        other.give_up(hold(&host, 1)?, LANES);
    }
    other.ask(Op::AnswerHeld, &[0]).map(drop)
}

pub(crate) fn a_dropped_calls_late_grant_is_given_back<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let objects = host.root.new_objects(2)?;
    let rows = || host.root.report().map(|report| report.rows);
    let before = rows()?;
    let call = hold(&host, 1)?;
    assert!(eventually(|| host.root.report().is_ok_and(|report| report.held == 1)));
    drop(call);
    assert_eq!(host.root.numbers(Op::AnswerHeld, &[0], &[&objects[0], &objects[1]])?, [1]);
    drop(objects);
    let expected = before - if P::ROWS { 2 } else { 0 };
    assert!(eventually(|| rows() == Ok(expected)), "{:?} rows, {before} before the drop", rows());
    Ok(())
}

pub(crate) fn a_server_that_ends_tells_the_tasks<P: Place>() -> Result<(), Error> {
    const TASKS: u64 = LANES + 8;
    let host = P::start()?;
    let root = host.root.clone();
    let tasks = std::thread::spawn(move || {
        run_all((0..TASKS).map(|_| root.ask_async_until(Deadline::Never, Op::Hold, &[])))
    });
    // All lanes are taken, and some wait for one.
    let other = Elsewhere::of(&host)?;
    assert!(other.holds(LANES));
    assert!(other.ask(Op::Stop, &[]).is_ok());
    for result in tasks.join().expect("no task panics") {
        assert_eq!(result.map(drop), Err(Error::Disconnected));
    }
    assert_eq!(block_on(host.root.ask_async(Op::Name, &[], &[])).map(drop), Err(Error::Disconnected));
    Ok(())
}

pub(crate) fn a_nested_task_never_exceeds_what_is_left_of_the_outer_call<P: Place>() -> Result<(), Error> {
    let (inner, outer) = (P::start()?, P::start()?);
    let number = outer.root.keep(&inner.root)?;
    assert!(outer.root.call_kept_as_task(number, Op::Name, NEVER)?.result.is_ok());
    for asked in [NEVER, Duration::from_secs(60)] {
        let limit = Duration::from_millis(100);
        let order = [number, Op::Hold as u64, micros(asked)];
        // The handler gives up about when its own caller does: either of them may be the first.
        let result = outer.root.ask_until(Deadline::After(limit), Op::CallKeptAsTask, &order);
        assert!(matches!(result, Ok(_) | Err(Error::DeadlineExceeded)), "{result:?}");
        let nested =
            portcullis_tests::remote::Nested::decode(outer.root.ask(Op::LastNested, &[], &[])?.data());
        assert_eq!(nested.result, Err("DeadlineExceeded".into()));
        assert!(nested.time >= limit / 2 && nested.time < limit + NOISE, "{:?}", nested.time);
    }
    Ok(())
}

/// The call takes what it needs with it: it can be moved to another thread, and polled by a task there.
pub(crate) fn a_call_goes_to_another_thread<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let object = host.root.new_object()?;
    let mut call = call(&object, Op::Hold, Deadline::Never)?;
    // The call holds the row.
    drop(object);
    assert!(poll_once(&mut call).is_pending());
    let there = std::thread::spawn(move || block_on(call));
    assert!(eventually(|| host.root.report().is_ok_and(|report| report.held == 1)));
    assert_eq!(host.root.numbers(Op::AnswerHeld, &[0, 9], &[])?, [1]);
    let answer = there.join().expect("the task does not panic")?;
    assert_eq!(words(answer.data()), [9]);
    Ok(())
}
