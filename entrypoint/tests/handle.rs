//! Other threads and an entrypoint.

mod common;

use common::{Act, LONG, Plain, new, plain, serve_while, start, start_in};
use portcullis_entrypoint::{EntrypointHandle, Error};
use portcullis_ipc::{Deadline, Pd, PdOptions};
use portcullis_rpc::{Capability, Error as RpcError};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// An object that may change threads.
struct Portable(u64, Arc<AtomicU64>);

impl Act for Portable {
    fn act(&mut self, _: Option<Capability<dyn Act>>) -> Result<u64, RpcError> {
        Ok(self.0)
    }

    fn add(&mut self, amount: u64) -> Result<u64, RpcError> {
        self.0 += amount;
        Ok(self.0)
    }

    fn pass(
        &mut self,
        first: Capability<dyn Act>,
        _: &str,
    ) -> Result<(Capability<dyn Act>, String), RpcError> {
        Ok((first, String::new()))
    }
}

impl Drop for Portable {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_handle_is_for_any_thread() {
    fn is_for_any_thread<T: Send + Sync + Clone + 'static>() {}
    is_for_any_thread::<EntrypointHandle>();
}

#[test]
fn closures_run_in_order_on_the_entrypoints_thread() {
    let entrypoint = new();
    let (thread, handle) = (std::thread::current().id(), entrypoint.handle());
    let order = serve_while(&entrypoint, move || {
        let (to_us, from_closures) = mpsc::channel();
        // More than the entrypoint runs at once.
        for number in 0..200 {
            let to_us = to_us.clone();
            let send = move |_: &_| to_us.send((number, std::thread::current().id())).expect("we wait");
            handle.post(send).expect("the entrypoint runs");
        }
        drop(to_us);
        from_closures.iter().collect::<Vec<_>>()
    });
    assert_eq!(order, (0..200).map(|number| (number, thread)).collect::<Vec<_>>());
}

#[test]
fn a_posted_closure_wakes_an_entrypoint_that_sleeps() {
    let ((), running) = start(|_| ());
    for round in 0..100 {
        assert_eq!(running.handle.ask(move |_| round), Ok(round));
    }
}

#[test]
fn calls_are_served_while_many_threads_post() {
    let (object, running) = start(|entrypoint| entrypoint.manage::<dyn Act, _>(plain(entrypoint)));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (object, handle) = (object.clone(), running.handle.clone());
            std::thread::spawn(move || {
                let mut asked = 0;
                for _ in 0..500 {
                    object.client().add(1).expect("it is served");
                    asked += handle.ask(|_| 1).expect("it runs");
                }
                asked
            })
        })
        .collect();
    let asked: i32 = threads.into_iter().map(|thread| thread.join().expect("none panics")).sum();
    assert_eq!((asked, object.client().add(0)), (2000, Ok(2000)));
}

#[test]
fn an_object_of_another_thread_is_managed() {
    let ((), running) = start(|_| ());
    let drops = Arc::<AtomicU64>::default();
    let object: Capability<dyn Act> = running.handle.manage(Portable(40, drops.clone())).expect("it runs");
    assert_eq!(object.client().add(2), Ok(42));
    let state = object.clone();
    let seen =
        running.handle.ask(move |entrypoint| entrypoint.apply(&state, |object: &mut Portable| object.0));
    assert_eq!(seen, Ok(Ok(42)));
    drop(running);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn what_nobody_waits_for_any_more_is_dropped() {
    let soon = Duration::from_millis(5);
    let hasty = Pd::with(PdOptions { deadline: Deadline::After(soon), ..PdOptions::default() });
    let ((), running) = start_in(&hasty.expect("there is memory"), |_| ());
    let (entered, has_entered) = mpsc::channel();
    let (let_go, may_go) = mpsc::channel::<()>();
    let block = move |_: &_| {
        entered.send(()).expect("the test waits");
        may_go.recv().expect("the test lets go");
    };
    running.handle.post(block).expect("it runs");
    has_entered.recv().expect("the closure runs");

    let drops = Arc::<AtomicU64>::default();
    let result = Portable(0, drops.clone());
    assert!(matches!(running.handle.ask(move |_| result), Err(Error::DeadlineExceeded)));
    let managed = running.handle.manage::<dyn Act, _>(Portable(0, drops.clone()));
    assert!(matches!(managed, Err(Error::DeadlineExceeded)));
    assert_eq!(drops.load(Ordering::SeqCst), 0, "they wait for the entrypoint");

    let_go.send(()).expect("the closure waits");
    let after = running.handle.ask_with(Deadline::After(LONG), |entrypoint| entrypoint.usage().objects);
    assert_eq!((after, drops.load(Ordering::SeqCst)), (Ok(1), 2));
}

#[test]
fn an_entrypoint_does_not_wait_for_itself() {
    let entrypoint = new();
    let handle = entrypoint.handle();
    assert_eq!(handle.ask(|_| ()), Err(Error::OwnThread));
    let drops = Arc::<AtomicU64>::default();
    let managed = handle.manage::<dyn Act, _>(Portable(0, drops.clone()));
    assert!(matches!(managed, Err(Error::OwnThread)));
    assert_eq!(drops.load(Ordering::SeqCst), 1);
    // It may leave something for later, though.
    handle.post(portcullis_entrypoint::Entrypoint::stop).expect("it lives");
    assert_eq!(entrypoint.run(), Ok(()));
}

#[test]
fn what_an_entrypoint_did_not_come_to_ends_with_it() {
    let entrypoint = new();
    let handle = entrypoint.handle();
    let drops = Arc::<AtomicU64>::default();
    let held = Portable(0, drops.clone());
    handle.post(move |_| drop(held)).expect("it lives");
    let waiting = {
        let handle = handle.clone();
        std::thread::spawn(move || handle.ask_with(Deadline::After(LONG), |_| ()))
    };
    let object = entrypoint.manage::<dyn Act, _>(plain(&entrypoint));
    drop(entrypoint);
    assert_eq!(drops.load(Ordering::SeqCst), 1, "the closure was dropped");
    assert_eq!(waiting.join().expect("it only asks"), Err(Error::Ended));
    assert_eq!(handle.post(|_| ()), Err(Error::Ended));
    assert_eq!(object.client().add(1), Err(RpcError::Disconnected));
    assert!(format!("{handle:?}").contains("ended"));
    handle.stop();
}

#[test]
fn a_closure_is_a_handler_of_its_own() {
    let entrypoint = new();
    let handle = entrypoint.handle();
    let results = serve_while(&entrypoint, move || {
        handle.ask(|entrypoint| {
            let object: Capability<dyn Act> = entrypoint.manage(plain(entrypoint));
            let sum = entrypoint.apply(&object, |object: &mut common::Actor<Plain>| {
                object.sum += 1;
                object.sum
            });
            (sum, entrypoint.run(), entrypoint.dissolve_current(), entrypoint.dissolve(&object))
        })
    });
    assert_eq!(results, Ok((Ok(1), Err(Error::Nested), false, true)));
}

/// What calls and hands capabilities over when its thread ends.
struct Farewell(Option<Capability<dyn Act>>, Option<mpsc::Sender<Result<u64, RpcError>>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if let (Some(object), Some(to_test)) = (self.0.take(), self.1.take()) {
            let mut client = object.client();
            let _ = to_test.send(client.add(1));
            let _ = to_test.send(client.pass(object.clone(), "bye").map(|(_, label)| label.len() as u64));
        }
    }
}

thread_local! {
    static FAREWELL: RefCell<Farewell> = const { RefCell::new(Farewell(None, None)) };
}

/// Whatever of the thread's own is gone by then.
#[test]
fn a_call_is_made_while_what_is_a_threads_own_is_dropped() {
    let (object, _running) = start(|entrypoint| entrypoint.manage::<dyn Act, _>(plain(entrypoint)));
    let (to_us, from_thread) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        // First, so that it is dropped last.
        FAREWELL.with_borrow_mut(|farewell| *farewell = Farewell(Some(object.clone()), Some(to_us)));
        object.client().pass(object.clone(), "hello").map(drop)
    });
    assert_eq!(thread.join().expect("it calls once"), Ok(()));
    assert_eq!(from_thread.recv(), Ok(Ok(1)));
    // Without room for it, a capability cannot go along.
    assert!(from_thread.recv().expect("a second answer").is_err());
}
