//! The ways to serve: for ever, for a while, and within a foreign event loop.

mod common;

use common::{Act, LONG, new, plain};
use portcullis_entrypoint::{Entrypoint, Error};
use portcullis_ipc::Deadline;
use portcullis_rpc::{self as rpc, Capability, Later, Reply, rpc_interface};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::future::Future;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// Whether the descriptor polls readable within that time.
fn readable(descriptor: &OwnedFd, time: Duration) -> bool {
    let mut descriptors = [PollFd::new(descriptor, PollFlags::IN)];
    let time = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() };
    rustix::event::poll(&mut descriptors, Some(&time)).expect("a descriptor can be polled") == 1
}

/// Serves by the descriptor alone until the condition holds.
fn loop_until(entrypoint: &Entrypoint, mut condition: impl FnMut() -> bool) {
    let readiness = entrypoint.readiness().expect("there are descriptors");
    entrypoint.dispatch_ready().expect("nothing ends it");
    while !condition() {
        assert!(readable(&readiness, LONG), "whoever wants something rings");
        entrypoint.dispatch_ready().expect("nothing ends it");
    }
}

#[test]
fn it_serves_until_the_deadline() {
    let entrypoint = new();
    let (start, time) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(entrypoint.run_until(Deadline::After(time)), Ok(()));
    assert!(start.elapsed() >= time);
    // Under a flood of calls, too.
    let object: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let client = std::thread::spawn(move || while object.client().add(1).is_ok() {});
    assert_eq!(entrypoint.run_until(Deadline::After(time)), Ok(()));
    drop(entrypoint);
    client.join().expect("it ends with an error");
}

#[test]
fn a_stop_before_the_run_counts() {
    let entrypoint = new();
    entrypoint.stop();
    assert_eq!(entrypoint.run(), Ok(()));
    let handle = entrypoint.handle();
    handle.stop();
    assert_eq!(entrypoint.run(), Ok(()));
    let soon = Deadline::After(Duration::from_millis(1));
    assert_eq!(entrypoint.run_until(soon), Ok(()), "it counts once");
}

#[test]
fn a_foreign_loop_serves_calls_and_closures() {
    let entrypoint = new();
    let object: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let handle = entrypoint.handle();
    let is_done = Arc::<AtomicBool>::default();
    let done = is_done.clone();
    let client = std::thread::spawn(move || {
        (1..=100).try_for_each(|sum| {
            assert_eq!(object.client().add(1), Ok(sum));
            handle.ask(|_| ())
        })?;
        handle.post(move |_| done.store(true, Ordering::Relaxed))
    });
    loop_until(&entrypoint, || is_done.load(Ordering::Relaxed));
    assert_eq!(client.join().expect("the client does not panic"), Ok(()));
}

#[test]
fn what_is_left_over_keeps_the_descriptor_readable() {
    let entrypoint = new();
    let readiness = entrypoint.readiness().expect("there are descriptors");
    assert_eq!(entrypoint.dispatch_ready(), Ok(0));
    assert!(!readable(&readiness, Duration::ZERO));
    // Work without end: a closure that posts itself.
    fn again(entrypoint: &Entrypoint) {
        entrypoint.handle().post(again).expect("it runs");
    }
    again(&entrypoint);
    for _ in 0..10 {
        assert!(readable(&readiness, Duration::ZERO), "it comes back at once");
        assert_eq!(entrypoint.dispatch_ready(), Ok(64), "and others have their turn");
    }
}

#[test]
fn a_loop_takes_over_where_another_left_off() {
    let entrypoint = new();
    let readiness = entrypoint.readiness().expect("there are descriptors");
    let object: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let client = std::thread::spawn(move || (0..1000).try_for_each(|_| object.client().add(1).map(drop)));
    while !client.is_finished() {
        let soon = Deadline::After(Duration::from_micros(300));
        assert_eq!(entrypoint.run_until(soon), Ok(()));
        // The client that was polled a moment ago does not ring: the descriptor says that there may be more.
        assert!(readable(&readiness, Duration::ZERO));
        entrypoint.dispatch_ready().expect("nothing ends it");
    }
    assert_eq!(client.join().expect("the client does not panic"), Ok(()));
}

#[rpc_interface]
trait Bell {
    fn wait(&mut self) -> Later<Result<u32, rpc::Error>>;
}

#[derive(Default)]
struct Waiting(Vec<Reply<Result<u32, rpc::Error>>>);

impl Bell for Waiting {
    fn wait(&mut self) -> Later<Result<u32, rpc::Error>> {
        let (later, reply) = Later::new();
        self.0.push(reply);
        later
    }
}

fn call(bell: &Capability<dyn Bell>) -> std::thread::JoinHandle<Result<u32, rpc::Error>> {
    let bell = bell.clone();
    std::thread::spawn(move || bell.client().wait().get())
}

#[test]
fn answers_are_given_later_from_any_handler_and_from_none() {
    let entrypoint = new();
    let bell: Capability<dyn Bell> = entrypoint.manage(Waiting::default());
    let waiting = |count| entrypoint.apply(&bell, |bell: &mut Waiting| bell.0.len() == count) == Ok(true);
    let (first, second) = (call(&bell), call(&bell));
    loop_until(&entrypoint, || waiting(2));
    assert!(!first.is_finished() && !second.is_finished());

    // Out of a handler: it is sent when that has returned.
    let take = |bell: &mut Waiting| bell.0.drain(..).collect::<Vec<_>>();
    let mut replies = entrypoint.apply(&bell, take).expect("it is managed");
    let one = replies.pop().expect("two wait");
    entrypoint.apply(&bell, |_: &mut Waiting| one.answer(Ok(1))).expect("it is managed");
    // Out of none: the loop is told.
    replies.pop().expect("one waits").answer(Ok(2));
    assert_eq!(entrypoint.dispatch_ready(), Ok(0));
    let mut answers = [first, second].map(|call| call.join().expect("the client does not panic"));
    answers.sort_by_key(|answer| answer.clone().unwrap_or(0));
    assert_eq!(answers, [Ok(1), Ok(2)]);
}

#[test]
fn a_reply_whose_caller_has_given_up_is_no_more_awaited() {
    let entrypoint = new();
    let bell: Capability<dyn Bell> = entrypoint.manage(Waiting::default());
    let waiting = |count| entrypoint.apply(&bell, |bell: &mut Waiting| bell.0.len() == count) == Ok(true);
    let patient = call(&bell);
    loop_until(&entrypoint, || waiting(1));
    let mut fickle = Box::pin(bell.client().wait_async());
    assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    loop_until(&entrypoint, || waiting(2));
    drop(fickle);

    let forget = |bell: &mut Waiting| bell.0.retain(|reply| entrypoint.awaits(reply));
    entrypoint.apply(&bell, forget).expect("it is managed");
    assert!(waiting(1));
    let answer = |bell: &mut Waiting| bell.0.drain(..).for_each(|reply| reply.answer(Ok(3)));
    entrypoint.apply(&bell, answer).expect("it is managed");
    assert_eq!(patient.join().expect("the client does not panic"), Ok(3));
}

/// Keeps the right to answer, and does not give what was promised.
#[derive(Default)]
struct Careless(Waiting);

impl Bell for Careless {
    fn wait(&mut self) -> Later<Result<u32, rpc::Error>> {
        drop(self.0.wait());
        assert!(self.0.0.len() > 1, "the first time");
        Later::ready(Ok(4))
    }
}

#[test]
fn a_reply_that_nothing_was_promised_for_is_not_awaited() {
    let entrypoint = new();
    let bell: Capability<dyn Bell> = entrypoint.manage(Careless::default());
    for (count, expected) in [(1, Err(rpc::Error::ServerPanicked)), (2, Ok(4))] {
        let client = call(&bell);
        let kept = |bell: &mut Careless| bell.0.0.len() == count;
        loop_until(&entrypoint, || entrypoint.apply(&bell, kept) == Ok(true));
        assert_eq!(client.join().expect("the client does not panic"), expected);
    }
    let awaited = |bell: &mut Careless| bell.0.0.iter().filter(|reply| entrypoint.awaits(reply)).count();
    assert_eq!(entrypoint.apply(&bell, awaited), Ok(0));
}

#[test]
fn whoever_still_waits_is_told_when_the_object_is_gone() {
    let entrypoint = new();
    let bell: Capability<dyn Bell> = entrypoint.manage(Waiting::default());
    let client = call(&bell);
    loop_until(&entrypoint, || entrypoint.apply(&bell, |bell: &mut Waiting| bell.0.len() == 1) == Ok(true));
    // Outside of any handler: the client is told without the loop's help.
    entrypoint.dissolve(&bell);
    assert_eq!(client.join().expect("the client does not panic"), Err(rpc::Error::Abandoned));
}

#[test]
fn a_served_call_limits_no_later_call_of_the_thread() {
    let (far, _running) = common::start(|entrypoint| {
        let slow = |_: &Entrypoint, _| {
            std::thread::sleep(Duration::from_millis(40));
            Ok(9)
        };
        entrypoint.manage::<dyn Act, _>(common::actor(entrypoint, slow))
    });
    let entrypoint = new();
    let object: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let hasty = std::thread::spawn(move || {
        let soon = Deadline::After(Duration::from_millis(20));
        let mut client = object.client().with_deadline(soon);
        // Until it is served in time, on a busy machine.
        while client.add(1).is_err() {}
    });
    let mut served = 0;
    let readiness = entrypoint.readiness().expect("there are descriptors");
    entrypoint.dispatch_ready().expect("nothing ends it");
    while served == 0 && readable(&readiness, LONG) {
        served = entrypoint.dispatch_ready().expect("nothing ends it");
    }
    // The call that was served had 20 ms; this one is our own.
    assert_eq!(far.client().act(None), Ok(9));
    hasty.join().expect("the client does not panic");
}

#[test]
fn the_descriptor_is_a_duplicate() {
    let entrypoint = new();
    let first = entrypoint.readiness().expect("there are descriptors");
    drop(first);
    let second = entrypoint.readiness().expect("there are descriptors");
    assert!(
        rustix::io::fcntl_getfd(second.as_fd()).expect("it is open").contains(rustix::io::FdFlags::CLOEXEC)
    );
    entrypoint.handle().stop();
    assert!(readable(&second, LONG));
    assert_eq!(entrypoint.dispatch_ready().map(drop), Ok::<_, Error>(()));
}
