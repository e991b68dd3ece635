//! A component that keeps to no rule: it talks to its parent without the library in between.

use super::roles::outcome;
use portcullis_component::protocol::{Component, Errand, Outcome, Parent, Request, Root, Session};
use portcullis_component::{Error, Label, Quota};
use portcullis_entrypoint::{Entrypoint, WeakEntrypoint};
use portcullis_ipc::Pd;
use portcullis_rpc::{Capability, Client, Later};
use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;

/// How many sessions it tries to have at once.
const STORM: u64 = 3_000;

struct Birth(WeakEntrypoint, Rc<RefCell<Option<Capability<dyn Parent>>>>);

impl Component for Birth {
    fn start(&mut self, parent: Capability<dyn Parent>, _: bool) -> Result<(), Error> {
        *self.1.borrow_mut() = Some(parent);
        self.0.upgrade().ok_or(Error::NotGranted)?.stop();
        Ok(())
    }
    fn heartbeat(&mut self) -> Result<(), Error> {
        Ok(())
    }
    fn yield_quota(&mut self, _: Quota) -> Result<(), Error> {
        Ok(())
    }
    fn stop(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A root that lies about everything.
struct Liar;

impl Root for Liar {
    fn create(&mut self, _: Request) -> Later<Result<Capability<dyn Session>, Error>> {
        Later::ready(Err(Error::insufficient(Quota::new(u64::MAX, u64::MAX))))
    }
    fn upgrade(&mut self, _: u64, _: Quota) -> Later<Result<(), Error>> {
        Later::ready(Err(Error::UnknownSession))
    }
    fn close(&mut self, _: u64) -> Later<Result<(), Error>> {
        Later::ready(Err(Error::UnknownSession))
    }
}

/// Raids its parent and ends with 0 if everything was refused as it should be, with the number of the first that was not otherwise.
pub(super) fn run() -> ExitCode {
    let pd = Pd::new().expect("there are descriptors");
    let entrypoint = Entrypoint::new(&pd).expect("there are descriptors");
    let parent = Rc::<RefCell<Option<_>>>::default();
    let birth: Capability<dyn Component> = entrypoint.manage(Birth(entrypoint.downgrade(), parent.clone()));
    entrypoint.serve_parent(&birth).expect("it has a parent");
    entrypoint.run().expect("it is started");
    let parent = parent.borrow_mut().take().expect("it is started");
    let liar: Capability<dyn Root> = entrypoint.manage(Liar);
    let code = raid(&mut parent.client(), &liar);
    parent.client().exit(code.into()).expect("the parent lives");
    ExitCode::from(code)
}

fn request(number: u64, quota: Quota) -> Request {
    Request { number, service: "log".into(), label: Label::default(), arguments: Vec::new(), quota }
}

fn raid(parent: &mut Client<dyn Parent>, liar: &Capability<dyn Root>) -> u8 {
    let before = parent.budget().expect("the parent answers");
    let mut steps = 0;
    let mut ok = |holds: bool| {
        steps += 1;
        if holds { None } else { Some(steps) }
    };
    let session = |parent: &mut Client<dyn Parent>, request| parent.session(request).get().map(drop);
    let huge = Quota::new(u64::MAX, u64::MAX);
    let one = Quota::new(8192, 4);
    let checks = [
        // More than it has, of each, and more than there are numbers.
        ok(matches!(session(parent, request(1, huge)), Err(Error::OutOfRam { .. }))),
        ok(matches!(session(parent, request(1, Quota::new(4096, u64::MAX))), Err(Error::OutOfCaps { .. }))),
        ok(matches!(session(parent, request(1, Quota::NONE)), Err(Error::InsufficientRamQuota { .. }))),
        // A number twice.
        ok(session(parent, request(1, one)).is_ok()),
        ok(session(parent, request(1, one)) == Err(Error::NumberInUse)),
        // An upgrade by what overflows, and of what is not there.
        ok(matches!(parent.upgrade(1, huge).get(), Err(Error::OutOfRam { .. }))),
        ok(parent.upgrade(99, one).get() == Err(Error::UnknownSession)),
        // Closes of what is not there, and twice.
        ok(parent.close(99, true).get() == Err(Error::UnknownSession)),
        ok(parent.close(1, true).get().is_ok()),
        ok(parent.close(1, true).get() == Err(Error::UnknownSession)),
        // Back what it never had, and more than there is of numbers.
        ok(parent.give_back(huge).is_err()),
        ok(parent.ask(huge).get() == Err(Error::NotGranted)),
        // Aside what it has not, and back what is not there.
        ok(parent.set_aside(huge).is_err()),
        ok(parent.set_aside(one).is_ok()),
        ok(parent.release(huge) == Err(Error::NotGranted)),
        ok(parent.release(one).is_ok()),
        ok(parent.release(one) == Err(Error::NotGranted)),
        ok(parent.budget() == Ok(before)),
        // A service twice, one with a name that is none, and one that lies.
        ok(parent.announce("lies", liar.clone()).is_ok()),
        ok(parent.announce("lies", liar.clone()).is_err()),
        ok(parent.announce(&"x".repeat(65), liar.clone()).is_err()),
        // Labels and arguments beyond the limits.
        ok(session(parent, Request { arguments: vec![0; 257], ..request(2, one) })
            == Err(Error::ArgumentsTooLong { length: 257 })),
        ok(parent.budget() == Ok(before)),
        // Errands without end, whose outcomes it does not fetch; then it does.
        ok(begin_all(parent) == Err(Error::TooManyOutcomes)),
        ok(fetch_all(parent) == Ok(1024)),
        ok(parent.begin(Errand::Close { number: 99 }).is_ok() && fetch_all(parent) == Ok(1)),
    ];
    if let Some(failed) = checks.into_iter().flatten().next() {
        return failed;
    }
    storm(parent, before)
}

fn begin_all(parent: &mut Client<dyn Parent>) -> Result<(), Error> {
    (0..5_000).try_for_each(|_| parent.begin(Errand::Close { number: 99 }))
}

/// Answers how many outcomes there were, if all of them are what they should be.
fn fetch_all(parent: &mut Client<dyn Parent>) -> Result<u32, Error> {
    let (mut count, mut has_come) = (0, None);
    // Who does not say that it has come gets the same again.
    assert_eq!(parent.outcome(None, false)?.is_some(), parent.outcome(Some(u64::MAX), true)?.is_some());
    while let Some(Outcome { serial, number, result }) = parent.outcome(has_come, false)? {
        has_come = Some(serial);
        let unknown = result.err().filter(|error| (number, error) == (99, &Error::UnknownSession));
        unknown.ok_or(Error::NotGranted)?;
        count += 1;
    }
    Ok(count)
}

/// Opens as many sessions as its budget allows, and one more. It keeps them.
fn storm(parent: &mut Client<dyn Parent>, before: Quota) -> u8 {
    let one = Quota::new(4096, 2);
    for number in 1_000..1_000 + STORM {
        match parent.session(request(number, one)).get() {
            Ok(_) => {}
            error @ Err(Error::OutOfRam { .. } | Error::OutOfCaps { .. }) => {
                let paid = (number - 1_000).checked_mul(4096) <= Some(before.ram.in_bytes());
                return if paid { 0 } else { 100 + outcome(&error.map(drop)).to_le_bytes()[0] };
            }
            Err(_) => return 101,
        }
    }
    102
}
