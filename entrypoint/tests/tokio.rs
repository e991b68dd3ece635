//! Serving as a task among others.
#![cfg(feature = "tokio")]

mod common;

use common::{Act, new, plain};
use portcullis_rpc::{self as rpc, Capability, Later, rpc_interface};
use std::time::Duration;
use tokio::sync::oneshot;

fn block_on<R>(task: impl Future<Output = R>) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("there are descriptors").block_on(task)
}

#[test]
fn an_entrypoint_serves_beside_other_tasks() {
    let entrypoint = new();
    let object: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let (to_task, from_client) = oneshot::channel();
    let handle = entrypoint.handle();
    let client = std::thread::spawn(move || {
        let sums: Vec<_> = (0..200).map(|_| object.client().add(1)).collect();
        to_task.send(sums.last().cloned()).expect("the task waits");
        handle.stop();
    });
    let (served, last) = block_on(async { tokio::join!(entrypoint.serve(), from_client) });
    assert_eq!(served, Ok(()));
    assert_eq!(last.expect("the client sends"), Some(Ok(200)));
    client.join().expect("the client does not panic");
}

#[test]
fn a_task_of_the_same_thread_has_its_turn_under_a_flood() {
    let entrypoint = new();
    let object: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let client = std::thread::spawn(move || while object.client().add(1).is_ok() {});
    let ticks = block_on(async {
        tokio::select! {
            served = entrypoint.serve() => panic!("{served:?}: nobody stops it"),
            ticks = async {
                for _ in 0..20 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                20
            } => ticks,
        }
    });
    assert_eq!(ticks, 20);
    // Cancelled, it can be served by other means.
    assert!(entrypoint.dispatch_ready().is_ok());
    drop(entrypoint);
    client.join().expect("it ends with an error");
}

#[test]
fn a_closure_wakes_the_task() {
    let entrypoint = new();
    let handle = entrypoint.handle();
    let poster = std::thread::spawn(move || {
        let answers: Vec<_> = (0..100).map(|number| handle.ask(move |_| number)).collect();
        handle.stop();
        answers
    });
    assert_eq!(block_on(entrypoint.serve()), Ok(()));
    let answers = poster.join().expect("it only asks");
    assert!(answers.into_iter().eq((0..100).map(Ok)));
}

#[test]
fn signals_are_a_stream_among_other_tasks() {
    use portcullis_entrypoint::SignalReceiver;
    use portcullis_ipc::Pd;

    block_on(async {
        let mut receiver = SignalReceiver::new(&Pd::new().expect("a domain")).expect("descriptors");
        let (context, capability) = receiver.manage().expect("a context");
        let mut signals = receiver.into_stream().expect("a runtime");
        for _ in 0..200 {
            let producer = capability.clone();
            let producer = std::thread::spawn(move || producer.submit());
            assert_eq!(signals.next().await, Ok(context));
            producer.join().expect("it only submits");
        }
        // One that is dropped while it waits loses nothing.
        tokio::select! {
            biased;
            _ = signals.next() => panic!("there is none"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        capability.submit();
        let as_stream = std::future::poll_fn(|context| {
            futures_core::Stream::poll_next(std::pin::Pin::new(&mut signals), context)
        });
        assert_eq!(as_stream.await, Some(Ok(context)));
        signals.receiver().dissolve(context);
        capability.submit();
        assert_eq!(signals.receiver().poll(), Ok(None));
    });
}

#[test]
fn another_task_of_the_thread_ends_it() {
    let entrypoint = new();
    let stop = async {
        // It waits by now.
        tokio::time::sleep(Duration::from_millis(20)).await;
        entrypoint.stop();
    };
    let served = block_on(async { tokio::join!(entrypoint.serve(), stop).0 });
    assert_eq!(served, Ok(()));
}

#[rpc_interface]
trait Errand {
    fn run(&mut self, is_answered: bool) -> Later<Result<u32, rpc::Error>>;
}

/// Leaves its answers to tasks beside the entrypoint.
struct Tasks;

impl Errand for Tasks {
    fn run(&mut self, is_answered: bool) -> Later<Result<u32, rpc::Error>> {
        let (later, reply) = Later::new();
        tokio::task::spawn_local(async move {
            // The entrypoint waits by now.
            tokio::time::sleep(Duration::from_millis(20)).await;
            if is_answered {
                reply.answer(Ok(7));
            }
        });
        later
    }
}

#[test]
fn what_a_task_beside_it_answers_or_drops_is_sent_at_once() {
    let entrypoint = new();
    let errand: Capability<dyn Errand> = entrypoint.manage(Tasks);
    let handle = entrypoint.handle();
    let client = std::thread::spawn(move || {
        let answers = [true, false].map(|is_answered| errand.client().run(is_answered).get());
        handle.stop();
        answers
    });
    let local = tokio::task::LocalSet::new();
    assert_eq!(block_on(local.run_until(entrypoint.serve())), Ok(()));
    let answers = client.join().expect("it only asks");
    assert_eq!(answers, [Ok(7), Err(rpc::Error::Abandoned)]);
}
