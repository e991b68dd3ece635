use crate::host::{Asked, Host, Route, Spec};
use crate::{Env, Error, Opening, Quota, Service, Sessions};
use portcullis_entrypoint::Entrypoint;
use portcullis_ipc::Pd;
use portcullis_rpc::{Error as RpcError, rpc_interface};
use std::cell::RefCell;
use std::time::{Duration, Instant};

#[rpc_interface(name = "echo")]
trait Echo {
    fn echo(&mut self, number: u32) -> Result<u32, RpcError>;
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
    let echo = Spec::thread("echo", LEAF, |env: Env| env.announce::<dyn Echo, _>(Echoes));
    let (host, _entrypoint) = root(vec![echo, nested(vec![up])]);
    until(&host, "not all are open", |host| host.sessions() == OPEN);
    until(&host, "not all are closed", |host| host.sessions() == 0);
    assert_eq!((host.quota("inner"), host.quota("echo")), (Some(INNER), Some(LEAF)));
}
