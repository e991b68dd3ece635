//! Attacks on tasks, and on the thread that wakes them.

use crate::{LIMIT, NOISE, house, publish, request};
use portcullis_ipc::{AsyncCall, Capability, Deadline, Error, MsgBuf, WaitPolicy};
use portcullis_tests::executor::{block_on, run_all};
use portcullis_tests::villain::script::{ANSWER, Step, Thing};
use portcullis_tests::villain::service;
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::{self, Kind};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Instant;

/// Calls with a script.
fn call(capability: &Capability, script: &[Step], deadline: Deadline) -> AsyncCall {
    capability.call_async_with(Box::new(request(script)), deadline)
}

/// Calls with a script; the deadline is met, whatever the villain does.
fn run(capability: &Capability, script: &[Step]) -> Result<Box<MsgBuf>, Error> {
    let start = Instant::now();
    let result = block_on(call(capability, script, Deadline::After(LIMIT)));
    assert!(start.elapsed() < LIMIT + NOISE, "the deadline was missed by {:?}", start.elapsed() - LIMIT);
    result
}

#[test]
fn attack_08_garbage_for_a_task_ends_the_channel() {
    let house = crate::house();
    let never = |bytes: &[u8], count, thing| {
        let (_villain, capability) = house.villain();
        let step = Step::Send(bytes.to_vec(), count, thing);
        // It is read while the task waits, and not when a reply says that something is there.
        let result = block_on(call(&capability, &[step], Deadline::Never)).map(drop);
        assert_eq!(result, Err(Error::Disconnected), "{bytes:?} with {count} of {thing:?}");
        assert_eq!(run(&capability, &[ANSWER]).map(drop), Err(Error::Disconnected), "it is spoken to again");
    };
    for thing in [Thing::Socket, Thing::Pipe] {
        never(&wire::DOORBELL, 1, thing);
        never(&[1, 2, 3], 0, thing);
        never(&wire::hello(), 2, thing);
        never(&wire::open(wire::Row::FIRST), 1, thing);
        never(&wire::portals(16, 1), 1, thing);
        never(&[], 0, thing);
    }
    house.assert_unharmed();
}

#[test]
fn attack_44_a_greeting_whose_page_nobody_has_looked_at_holds_nobody_up() {
    let house = house();
    let (_villain, capability) = house.villain();
    let greeting = Step::Send(wire::greeting(7).to_vec(), 1, Thing::Slow);
    // It is read while the task waits, and looked at when there is a reply.
    assert_eq!(run(&capability, &[Step::Outlive, greeting]).map(drop), Err(Error::DeadlineExceeded));
    let start = Instant::now();
    drop(capability);
    assert!(start.elapsed() < NOISE, "it was closed by whoever dropped the channel: {:?}", start.elapsed());
    drop(_villain);
    house.assert_unharmed();
}

/// A task that is waiting for an honest server, through the same watcher, is woken, and the death of that server seen.
#[test]
fn attack_20_a_flood_of_doorbells_costs_no_other_task_its_turn() {
    let house = house();
    let floods: Vec<_> = (0..3).map(|_| house.villain()).collect();
    for (_, capability) in &floods {
        assert_eq!(run(capability, &[Step::Flood]).map(drop), Err(Error::DeadlineExceeded));
    }
    let honest = house.honest();
    let answers = run_all((0..100).map(|number: u8| {
        let mut message = Box::new(MsgBuf::new());
        message.set_method(service::ECHO, 0);
        message.write(&[number]).expect("a message holds a byte");
        honest.call_async_with(message, Deadline::After(NOISE))
    }));
    for (number, answer) in (0..).zip(answers) {
        assert_eq!(answer.expect("an honest server answers").data(), [number]);
    }
    // Those who flood may answer as well.
    for (_, capability) in &floods {
        assert_eq!(run(capability, &[ANSWER]).map(drop), Ok(()));
    }
    let (_dies, capability) = house.villain();
    let start = Instant::now();
    let result = block_on(call(&capability, &[Step::Die], Deadline::Never)).map(drop);
    assert_eq!(result, Err(Error::Disconnected));
    assert!(start.elapsed() < NOISE);
    drop((floods, _dies, capability, honest));
    house.assert_unharmed();
}

#[test]
fn attack_19_a_server_that_does_not_ring_costs_its_task_the_deadline() {
    let house = house();
    let (_villain, capability) = house.villain();
    for _ in 0..3 {
        let start = Instant::now();
        // It answers and does not ring; when the deadline has passed, the task finds the answer.
        assert_eq!(run(&capability, &[ANSWER]).map(drop), Ok(()));
        assert!(start.elapsed() < LIMIT + NOISE);
    }
    assert_eq!(run(&capability, &[]).map(drop), Err(Error::DeadlineExceeded));
    drop((_villain, capability));
    house.assert_unharmed();
}

/// A waker that notes that it was used.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// No attack, but a race that only a server made for it can win: a thread reads the socket for its portals, before the
/// watcher does, and takes a task's doorbell with them.
#[test]
fn a_doorbell_that_a_thread_took_wakes_its_task() {
    let house = crate::House::new(portcullis_ipc::Doorbell::Socket, WaitPolicy::Spin);
    let (_villain, capability) = house.villain();
    for _ in 0..300 {
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(flag.clone());
        let mut task = call(&capability, &[], Deadline::Never);
        // In lane 0, and not answered; it wakes itself for as long as it only looks.
        flag.0.store(true, Ordering::Relaxed);
        while flag.0.swap(false, Ordering::Relaxed) {
            assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let of_task = Step::Publish { lane: 15, sequence: 0, length: 0, kinds: 0, status: 0 };
        let doorbell = Step::Send(wire::DOORBELL.to_vec(), 0, Thing::Socket);
        // In lane 1, and with a portal.
        let script = [of_task, doorbell, Step::Portals(1), publish(0, &[Kind::Portal], 0)];
        let reply = crate::run(&capability, &script).expect("an answer");
        assert_eq!(reply.capabilities(), 1);
        assert!(eventually(|| flag.0.load(Ordering::Relaxed)), "the task is not woken");
        assert_eq!(block_on(task).map(drop), Ok(()));
    }
    drop((_villain, capability));
    house.assert_unharmed();
}
