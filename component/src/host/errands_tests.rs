use crate::host::{Asked, Host, Route, Spec};
use crate::protocol::{Errand, Outcome, Parent, Request, Root, Session};
use crate::{Env, Error, Label, Opening, Quota, Service, Sessions};
use portcullis_entrypoint::{Entrypoint, WeakEntrypoint};
use portcullis_ipc::Pd;
use portcullis_rpc::{Capability, Error as RpcError, Later, Reply, rpc_interface};
use std::cell::RefCell;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

#[rpc_interface(name = "echo")]
trait Echo {
    fn echo(&mut self, number: u32) -> Result<u32, RpcError>;
}

#[rpc_interface(name = "loss")]
trait Loss {}

impl Service for dyn Loss {
    type Arguments = ();
}

impl Service for dyn Echo {
    type Arguments = ();
}

struct Echoes;

impl Sessions<dyn Echo> for Echoes {
    type Session = Echoes;

    fn create(&mut self, _: Opening<()>) -> Result<Echoes, Error> {
        Ok(Echoes)
    }
}

impl Echo for Echoes {
    fn echo(&mut self, number: u32) -> Result<u32, RpcError> {
        Ok(number)
    }
}

const ALL: Quota = Quota::new(1 << 30, 1_000_000);
const INNER: Quota = Quota::new(256 << 20, 200_000);
const LEAF: Quota = Quota::new(64 << 20, 60_000);

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// The root of a server that makes sessions, and never says that one is closed.
struct Holds {
    entrypoint: WeakEntrypoint,
    closes: Vec<Reply<Result<(), Error>>>,
}

impl Root for Holds {
    fn create(&mut self, _: Request) -> Later<Result<Capability<dyn Session>, Error>> {
        let entrypoint = self.entrypoint.upgrade().unwrap();
        let session: Capability<dyn Echo> = entrypoint.manage(Echoes);
        Later::ready(Ok(Capability::from_untyped(session.untyped().clone())))
    }

    fn upgrade(&mut self, _: u64, _: Quota) -> Later<Result<(), Error>> {
        Later::ready(Ok(()))
    }

    fn close(&mut self, _: u64) -> Later<Result<(), Error>> {
        let (later, reply) = Later::new();
        self.closes.push(reply);
        later
    }
}

/// The root of a server whose sessions nobody gets, and that says which ones it was told to close.
struct Loses {
    /// What it answers with, if it answers.
    session: Option<Capability<dyn Session>>,
    closes: Sender<u64>,
}

impl Root for Loses {
    fn create(&mut self, _: Request) -> Later<Result<Capability<dyn Session>, Error>> {
        match &self.session {
            Some(session) => Later::ready(Ok(session.clone())),
            // The right to answer is dropped.
            None => Later::new().0,
        }
    }

    fn upgrade(&mut self, _: u64, _: Quota) -> Later<Result<(), Error>> {
        Later::ready(Ok(()))
    }

    fn close(&mut self, number: u64) -> Later<Result<(), Error>> {
        let _ = self.closes.send(number);
        Later::ready(Ok(()))
    }
}

fn loses(session: Option<Capability<dyn Session>>, closes: Sender<u64>) -> Spec {
    Spec::thread("loss", LEAF, move |env: Env| {
        env.parent().announce("loss", env.entrypoint().manage(Loses { session, closes }))
    })
}

/// Opens one there in vain, and one at an honest server; ends with 0 if that is so.
fn misled() -> Spec {
    Spec::thread("misled", LEAF, |env: Env| {
        let lost = env.connect::<dyn Loss>("x", &()).map(drop);
        let echo = env.connect::<dyn Echo>("x", &()).map(|mut echo| echo.echo(7));
        env.exit(if matches!((lost, echo), (Err(Error::Rpc(_)), Ok(Ok(7)))) { 0 } else { 1 });
    })
}

fn echoes() -> Spec {
    Spec::thread("echo", LEAF, |env: Env| env.announce::<dyn Echo, _>(Echoes))
}

/// A parent of these whose sessions all come from above.
fn nested(children: Vec<Spec>) -> Spec {
    Spec::thread("inner", INNER, move |env: Env| -> Result<(), Error> {
        let host = Host::within(&env, |_: Asked<'_>| Route::Parent)?;
        children.into_iter().try_for_each(|child| host.start(child))?;
        HOST.set(Some(host));
        Ok(())
    })
}

/// The root of these, which sends each service to the child that is named for it. With its entrypoint, which has to live as long.
fn root(children: Vec<Spec>) -> (Host, Entrypoint) {
    let pd = Pd::new().unwrap();
    let entrypoint = Entrypoint::new(&pd).unwrap();
    let host = Host::new(&pd, &entrypoint, ALL, |asked: Asked<'_>| Route::to(asked.service));
    children.into_iter().for_each(|child| host.start(child).unwrap());
    (host, entrypoint)
}

fn until(host: &Host, what: &str, condition: impl Fn(&Host) -> bool) {
    let began = Instant::now();
    let is_so = |host: &Host| {
        assert!(began.elapsed() < Duration::from_secs(40), "{what}: {} sessions", host.sessions());
        condition(host)
    };
    host.run_until(is_so).unwrap();
}

/// More of them are closed at once than outcomes may lie there.
#[test]
fn g21_what_a_child_with_thousands_of_sessions_leaves_behind_is_closed_at_every_hop() {
    const OPEN: usize = 4_000;
    let up = Spec::thread("up", LEAF, |env: Env| {
        // As a process that is killed: it closes nothing itself.
        (0..OPEN).for_each(|_| std::mem::forget(env.connect::<dyn Echo>("x", &()).unwrap()));
        env.exit(0);
    });
    let (host, _entrypoint) = root(vec![echoes(), nested(vec![up])]);
    until(&host, "not all are open", |host| host.sessions() == OPEN);
    until(&host, "not all are closed", |host| host.sessions() == 0);
    assert_eq!((host.quota("inner"), host.quota("echo")), (Some(INNER), Some(LEAF)));
}

#[test]
fn a_second_close_of_a_session_is_refused_and_the_first_has_its_outcome() {
    let echo = Spec::thread("echo", LEAF, |env: Env| {
        let holds = Holds { entrypoint: env.entrypoint().downgrade(), closes: Vec::new() };
        env.parent().announce("echo", env.entrypoint().manage(holds))
    });
    let (say, said) = channel();
    let closer = Spec::thread("closer", LEAF, move |env: Env| {
        let mut parent = env.parent();
        let quota = Quota::new(8192, 4);
        let label = Label::default();
        let request = Request { number: 1, service: "echo".into(), label, arguments: Vec::new(), quota };
        parent.session(request).get().map(drop).unwrap();
        (0..2).for_each(|_| parent.begin(Errand::Close { number: 1 }).unwrap());
        let second = parent.outcome(None, false).unwrap();
        say.send(second.map(|Outcome { number, result, .. }| (number, result.map(|_| ())))).unwrap();
        let mut first = parent.outcome(Some(1), false).unwrap();
        while first.is_none() {
            std::thread::yield_now();
            first = parent.outcome(None, false).unwrap();
        }
        say.send(first.map(|Outcome { number, result, .. }| (number, result.map(|_| ())))).unwrap();
        env.exit(0);
    });
    let (host, _entrypoint) = root(vec![echo, closer]);
    let second = RefCell::new(None);
    until(&host, "nothing is said of the second", |_| {
        *second.borrow_mut() = said.try_recv().ok();
        second.borrow().is_some()
    });
    assert_eq!(second.take(), Some(Some((1, Err(Error::SessionBusy)))));
    // The first waits for the server, which ends.
    host.kill("echo");
    until(&host, "nothing is said of the first", |host| host.quota("closer").is_none());
    assert_eq!(said.try_recv(), Ok(Some((1, Ok(())))));
}

#[test]
fn a_session_whose_answer_is_lost_is_closed_at_its_server() {
    for is_nested in [false, true] {
        let (say, said) = channel();
        let child = if is_nested { nested(vec![misled()]) } else { misled() };
        let (host, _entrypoint) = root(vec![echoes(), loses(None, say), child]);
        let count = RefCell::new(0);
        until(&host, "it is not told to close it", |host| {
            *count.borrow_mut() += said.try_iter().count();
            *count.borrow() == 1 && host.sessions() == 0
        });
        assert_eq!((host.quota("loss"), host.quota("echo")), (Some(LEAF), Some(LEAF)));
    }
}

/// What the server hands out is an object of the root that is there no more: nobody can be handed it there.
#[test]
fn g21_a_session_that_cannot_be_handed_on_holds_up_no_others_of_the_same_parent() {
    let (say, said) = channel();
    let (host, entrypoint) = root(vec![echoes()]);
    let gone: Capability<dyn Echo> = entrypoint.manage(Echoes);
    entrypoint.dissolve(&gone);
    host.start(loses(Some(Capability::from_untyped(gone.untyped().clone())), say)).unwrap();
    host.start(nested(vec![misled()])).unwrap();
    let count = RefCell::new(0);
    until(&host, "nothing goes on", |host| {
        *count.borrow_mut() += said.try_iter().count();
        *count.borrow() == 1 && host.sessions() == 0
    });
    assert_eq!(host.quota("inner"), Some(INNER));
}
