//! Objects in tests: what comes through, what comes back, and what is told.

use portcullis::prelude::*;
use portcullis::test::{Pair, pair, pair_with};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

#[rpc_interface]
trait Log {
    fn write(&mut self, line: &str) -> Result<usize, rpc::Error>;
}

#[derive(Default)]
struct Lines(Vec<String>);

impl Log for Lines {
    fn write(&mut self, line: &str) -> Result<usize, rpc::Error> {
        assert_ne!(line, "panic");
        self.0.push(line.into());
        Ok(self.0.len())
    }
}

/// Code that knows the trait alone.
fn write_two(log: &mut dyn Log) -> Result<usize, rpc::Error> {
    log.write("one")?;
    log.write("two")
}

/// What a panic says.
fn panic_of(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).expect_err("it panics");
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("it says something")
}

#[test]
fn it_is_a_client_that_gives_the_object_back() -> Result<(), rpc::Error> {
    let mut log = pair::<dyn Log, _>(Lines::default())?;
    assert_eq!(write_two(&mut *log)?, write_two(&mut Lines::default())?);
    assert_eq!(Pair::apply(&log, |lines| lines.0.pop())?.as_deref(), Some("two"));
    assert_eq!(log.capability().client().write("three")?, 2);
    assert_eq!(Pair::into_object(log)?.0, ["one", "three"]);
    Ok(())
}

/// Tells of its drop.
struct Mortal(Sender<()>);

impl Drop for Mortal {
    fn drop(&mut self) {
        self.0.send(()).expect("the test waits");
    }
}

impl Log for Mortal {
    fn write(&mut self, _: &str) -> Result<usize, rpc::Error> {
        Ok(0)
    }
}

#[test]
fn object_and_capability_end_with_it() -> Result<(), rpc::Error> {
    let (grave, dropped) = channel();
    let log = pair::<dyn Log, _>(Mortal(grave))?;
    let capability = log.capability().clone();
    assert_eq!(capability.client().write("")?, 0);
    assert!(dropped.try_recv().is_err());
    drop(log);
    assert_eq!(dropped.try_recv(), Ok(()), "before the drop has returned");
    assert_eq!(capability.client().write(""), Err(rpc::Error::Disconnected));
    Ok(())
}

#[rpc_interface]
trait Lender {
    fn lend(&mut self) -> Result<Capability<dyn Log>, rpc::Error>;
    fn take_back(&mut self) -> Result<(), rpc::Error>;
    fn tell(&mut self, whom: Capability<dyn Log>, what: &str) -> Result<usize, rpc::Error>;
}

/// Cannot be sent, and knows its entrypoint.
struct Library {
    entrypoint: WeakEntrypoint,
    book: Rc<RefCell<Lines>>,
    lent: Option<Revocable<dyn Log>>,
}

/// A log that others have, too.
struct Shared(Rc<RefCell<Lines>>);

impl Log for Shared {
    fn write(&mut self, line: &str) -> Result<usize, rpc::Error> {
        self.0.borrow_mut().write(line)
    }
}

impl Lender for Library {
    fn lend(&mut self) -> Result<Capability<dyn Log>, rpc::Error> {
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        let lent = Revocable::new(&entrypoint, entrypoint.manage(Shared(self.book.clone())));
        Ok(self.lent.insert(lent).capability())
    }

    fn take_back(&mut self) -> Result<(), rpc::Error> {
        self.lent = None;
        Ok(())
    }

    fn tell(&mut self, whom: Capability<dyn Log>, what: &str) -> Result<usize, rpc::Error> {
        whom.client().write(what)
    }
}

fn library() -> Result<Pair<dyn Lender, Library>, rpc::Error> {
    Ok(pair_with(|entrypoint| Library {
        entrypoint: entrypoint.downgrade(),
        book: Rc::default(),
        lent: None,
    })?)
}

#[test]
fn what_is_lent_is_taken_back() -> Result<(), rpc::Error> {
    let mut library = library()?;
    let lent = library.lend()?;
    assert_eq!(lent.client().write("mine")?, 1);
    library.take_back()?;
    assert_eq!(lent.client().write("mine"), Err(rpc::Error::InvalidCapability));
    assert_eq!(Pair::apply(&library, |library| library.book.borrow().0.clone())?, ["mine"]);
    Ok(())
}

#[test]
fn an_object_calls_back() -> Result<(), rpc::Error> {
    let (mut library, log) = (library()?, pair::<dyn Log, _>(Lines::default())?);
    assert_eq!(library.tell(log.capability().clone(), "called back")?, 1);
    assert_eq!(Pair::into_object(log)?.0, ["called back"]);
    Ok(())
}

#[test]
fn the_entrypoint_can_be_asked_for_more() -> Result<(), rpc::Error> {
    let log = pair::<dyn Log, _>(Lines::default())?;
    let other: Capability<dyn Log> = Pair::entrypoint(&log).manage(Lines::default())?;
    assert_eq!(other.client().write("")?, 1);
    Ok(())
}

#[test]
fn a_panic_of_a_method_is_told_to_its_client() -> Result<(), rpc::Error> {
    let mut log = pair::<dyn Log, _>(Lines::default())?;
    assert_eq!(log.write("panic"), Err(rpc::Error::ServerPanicked));
    assert_eq!(log.write("on")?, 1);
    Ok(())
}

#[test]
fn a_panic_while_the_object_is_made_passes_through() {
    let make = |_: &Entrypoint| -> Lines { panic!("no object") };
    assert_eq!(panic_of(|| drop(pair_with::<dyn Log, _>(make))), "no object");
}

/// Panics when it is dropped.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("broken");
    }
}

impl Log for Fragile {
    fn write(&mut self, _: &str) -> Result<usize, rpc::Error> {
        Ok(0)
    }
}

#[test]
fn a_panic_of_the_objects_drop_fails_the_test() {
    let log = pair::<dyn Log, _>(Fragile).expect("there is a thread");
    assert_eq!(panic_of(|| drop(log)), "broken");
}

#[test]
fn a_test_that_fails_already_fails_for_its_own_reason() {
    let test = || {
        let _log = pair::<dyn Log, _>(Fragile).expect("there is a thread");
        panic!("the test's own");
    };
    assert_eq!(panic_of(test), "the test's own");
}

/// Says when it begins, and works until it is told otherwise.
struct Slow(Sender<()>, Receiver<()>);

impl Log for Slow {
    fn write(&mut self, _: &str) -> Result<usize, rpc::Error> {
        let _ = (self.0.send(()), self.1.recv());
        Ok(0)
    }
}

#[test]
fn a_method_that_does_not_return_fails_the_test_and_does_not_hold_it_up() {
    let (begin, begun) = channel();
    let (_end, until) = channel();
    let log = pair::<dyn Log, _>(Slow(begin, until)).expect("there is a thread");
    let brief = Deadline::After(Duration::from_millis(1));
    // What it has not taken by then is withdrawn.
    while begun.try_recv().is_err() {
        let answer = log.capability().client().with_deadline(brief).write("");
        assert_eq!(answer, Err(rpc::Error::DeadlineExceeded));
    }
    assert!(panic_of(|| drop(log)).contains("still runs"));
}
