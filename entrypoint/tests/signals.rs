//! Signals and their handlers, within one thread: whose turn it is can be told exactly.

mod common;

use common::{Act, LONG, new, plain, serve_while};
use portcullis_entrypoint::{Entrypoint, Error, SignalLevel, WeakEntrypoint};
use portcullis_ipc::Deadline;
use portcullis_rpc::{self as rpc, Capability, Later, Reply, SignalCapability, rpc_interface};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

const SOON: Deadline = Deadline::After(Duration::from_millis(20));

/// Runs all that is there.
fn settle(entrypoint: &Entrypoint) {
    while entrypoint.dispatch_ready().expect("it is the outermost") != 0 {}
}

type Notes = Rc<RefCell<Vec<&'static str>>>;

/// A context whose handler notes that it ran.
fn noting(
    entrypoint: &Entrypoint,
    notes: &Notes,
    level: SignalLevel,
    note: &'static str,
) -> SignalCapability {
    let notes = notes.clone();
    entrypoint.manage_signal((), level, move |(), _| notes.borrow_mut().push(note))
}

#[test]
fn a_handler_is_bound_to_an_object_of_its_type() {
    let entrypoint = new();
    let object: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let wrong = entrypoint.handle_signal(&object, SignalLevel::Application, |_: &mut String, _| ());
    assert!(matches!(wrong, Err(Error::WrongType { .. })), "{wrong:?}");
    let outside = entrypoint.handle_signal_here(SignalLevel::Application, |_: &mut String, _| ());
    assert_eq!(outside.map(drop), Err(Error::NotManaged));
    entrypoint.dissolve(&object);
    let gone = entrypoint.handle_signal(&object, SignalLevel::Application, |_: &mut String, _| ());
    assert_eq!(gone.map(drop), Err(Error::NotManaged));
    assert_eq!(entrypoint.usage().contexts, 0);
}

#[test]
fn submits_before_the_handler_runs_are_one_run() {
    let (entrypoint, notes) = (new(), Notes::default());
    let signal = noting(&entrypoint, &notes, SignalLevel::Application, "ran");
    (0..1_000).for_each(|_| signal.submit());
    settle(&entrypoint);
    assert_eq!(*notes.borrow(), ["ran"]);
    signal.submit();
    settle(&entrypoint);
    assert_eq!(*notes.borrow(), ["ran", "ran"]);
}

#[test]
fn a_handler_that_submits_to_itself_has_another_turn_later() {
    let entrypoint = new();
    let (own, left): (Rc<RefCell<Option<SignalCapability>>>, _) = (Rc::default(), Rc::new(Cell::new(5)));
    let (of_handler, of_rest) = (own.clone(), left.clone());
    let signal = entrypoint.manage_signal((), SignalLevel::Io, move |(), _| {
        of_rest.set(of_rest.get() - 1);
        if let Some(own) = of_handler.borrow().as_ref().filter(|_| of_rest.get() != 0) {
            own.submit();
        }
    });
    *own.borrow_mut() = Some(signal.clone());
    signal.submit();
    settle(&entrypoint);
    assert_eq!(left.get(), 0);
}

#[test]
fn within_a_handler_only_io_runs_and_one_a_wait() {
    let (entrypoint, notes) = (new(), Notes::default());
    let io = [
        noting(&entrypoint, &notes, SignalLevel::Io, "one"),
        noting(&entrypoint, &notes, SignalLevel::Io, "two"),
    ];
    let application = noting(&entrypoint, &notes, SignalLevel::Application, "application");
    let (all, own_notes) = (io.clone(), notes.clone());
    let waits = entrypoint.manage_signal((), SignalLevel::Application, move |lent, entrypoint| {
        all.iter().for_each(SignalCapability::submit);
        application.submit();
        own_notes.borrow_mut().push("waits");
        assert_eq!(entrypoint.wait_and_dispatch_one_io_signal(lent), Ok(()));
        own_notes.borrow_mut().push("had one");
        assert_eq!(entrypoint.wait_and_dispatch_one_io_signal_with(lent, SOON), Ok(()));
        let none = entrypoint.wait_and_dispatch_one_io_signal_with(lent, SOON);
        assert_eq!(none, Err(Error::DeadlineExceeded));
        own_notes.borrow_mut().push("returns");
    });
    waits.submit();
    settle(&entrypoint);
    assert_eq!(*notes.borrow(), ["waits", "one", "had one", "two", "returns", "application"]);
}

#[test]
fn outside_of_handlers_a_signal_for_io_is_waited_for_as_well() {
    let (entrypoint, notes) = (new(), Notes::default());
    let io = noting(&entrypoint, &notes, SignalLevel::Io, "io");
    io.submit();
    assert_eq!(entrypoint.wait_and_dispatch_one_io_signal(&mut ()), Ok(()));
    assert_eq!(*notes.borrow(), ["io"]);
    assert_eq!(entrypoint.wait_and_dispatch_one_io_signal_with(&mut (), SOON), Err(Error::DeadlineExceeded));
}

#[test]
fn what_a_handler_holds_is_dropped_between_handlers() {
    struct Grave(Rc<Cell<u32>>, Rc<Cell<bool>>);
    impl Drop for Grave {
        fn drop(&mut self) {
            assert!(!self.1.get(), "a handler runs");
            self.0.set(self.0.get() + 1);
        }
    }
    let entrypoint = new();
    let (drops, inside): (Rc<Cell<u32>>, Rc<Cell<bool>>) = Default::default();
    let own: Rc<RefCell<Option<SignalCapability>>> = Rc::default();
    let (of_handler, of_object) =
        (Grave(drops.clone(), inside.clone()), Grave(drops.clone(), inside.clone()));
    let (itself, within) = (own.clone(), inside.clone());
    let signal = entrypoint.manage_signal(of_object, SignalLevel::Application, move |_, entrypoint| {
        within.set(true);
        let _held = &of_handler;
        let own = itself.take().expect("it runs once");
        assert!(entrypoint.dissolve_signal(&own) && !entrypoint.dissolve_signal(&own));
        within.set(false);
    });
    *own.borrow_mut() = Some(signal.clone());
    signal.submit();
    settle(&entrypoint);
    assert_eq!((drops.get(), entrypoint.usage().contexts, entrypoint.usage().objects), (2, 0, 1));
    signal.submit();
    settle(&entrypoint);
}

#[test]
fn contexts_end_with_their_object() {
    let entrypoint = new();
    let object: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let other: Capability<dyn Act> = entrypoint.manage(plain(&entrypoint));
    let handler = |_: &mut common::Actor<common::Plain>, _: &Entrypoint| panic!("it was dissolved");
    let bound = entrypoint.handle_signal(&object, SignalLevel::Io, handler).expect("it is of that type");
    let _stays = entrypoint.handle_signal(&other, SignalLevel::Io, handler).expect("it is of that type");
    bound.submit();
    assert!(entrypoint.dissolve(&object));
    bound.submit();
    settle(&entrypoint);
    assert_eq!(entrypoint.usage().contexts, 1);
    assert!(!entrypoint.dissolve_signal(&bound));
}

#[rpc_interface]
trait Meeting {
    /// Answered by `meet`, with what it waits for.
    fn come(&mut self) -> Later<Result<SignalCapability, rpc::Error>>;
    /// How many have come.
    fn present(&mut self) -> Result<usize, rpc::Error>;
    /// Answers who has come, and waits for his signal.
    fn meet(&mut self) -> Result<bool, rpc::Error>;
}

struct Room {
    entrypoint: WeakEntrypoint,
    waiting: Vec<Reply<Result<SignalCapability, rpc::Error>>>,
    met: bool,
}

impl Meeting for Room {
    fn come(&mut self) -> Later<Result<SignalCapability, rpc::Error>> {
        let (later, reply) = Later::new();
        self.waiting.push(reply);
        later
    }

    fn present(&mut self) -> Result<usize, rpc::Error> {
        Ok(self.waiting.len())
    }

    fn meet(&mut self) -> Result<bool, rpc::Error> {
        let entrypoint = self.entrypoint.upgrade().expect("it runs this method");
        let signal = entrypoint.handle_signal_here(SignalLevel::Io, |room: &mut Room, _| room.met = true)?;
        self.waiting.drain(..).for_each(|reply| reply.answer(Ok(signal.clone())));
        entrypoint.wait_and_dispatch_one_io_signal_with(self, Deadline::After(LONG / 6))?;
        Ok(self.met)
    }
}

/// Who is answered submits what is waited for.
#[test]
fn what_was_answered_before_a_wait_is_sent_before_it() {
    let entrypoint = new();
    let room = Room { entrypoint: entrypoint.downgrade(), waiting: Vec::new(), met: false };
    let room: Capability<dyn Meeting> = entrypoint.manage(room);
    let met = serve_while(&entrypoint, move || {
        let guest = room.clone();
        let guest = std::thread::spawn(move || guest.client().come().get().map(|signal| signal.submit()));
        while room.client().present() != Ok(1) {}
        let met = room.client().meet();
        guest.join().expect("he only comes").map(|()| met)
    });
    assert_eq!(met, Ok(Ok(true)));
}
