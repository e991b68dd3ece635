//! A parent that is a component itself: what its bank says is what its own parent's bank says of it.

use portcullis_component::host::{Asked, Host, Route, Spec};
use portcullis_component::{Connection, Env, Error, Opening, Quota, Service, Sessions};
use portcullis_entrypoint::Entrypoint;
use portcullis_ipc::Pd;
use portcullis_rpc::{Error as RpcError, rpc_interface};
use std::cell::RefCell;
use std::sync::mpsc::{Sender, channel};

#[rpc_interface(name = "echo")]
trait Echo {
    fn echo(&mut self, number: u32) -> Result<u32, RpcError>;
}

impl Service for dyn Echo {
    type Arguments = ();
}

struct Echoes;
struct Once;

impl Echo for Once {
    fn echo(&mut self, number: u32) -> Result<u32, RpcError> {
        Ok(number)
    }
}

impl Sessions<dyn Echo> for Echoes {
    type Session = Once;

    fn create(&mut self, _: Opening<()>) -> Result<Once, Error> {
        Ok(Once)
    }
}

const ALL: Quota = Quota::new(16 << 20, 10_000);
const INNER: Quota = Quota::new(4 << 20, 1_000);
const LEAF: Quota = Quota::new(1 << 20, 100);

fn serve(env: &Env) -> Result<(), Error> {
    env.announce::<dyn Echo, _>(Echoes)
}

/// Opens, upgrades and closes, and one that is only dropped.
fn use_it(env: &Env) -> Result<(), Error> {
    let before = env.budget()?;
    for number in 0..20 {
        let mut echo = env.connect::<dyn Echo>("x", &())?;
        Connection::upgrade(&echo, Quota::new(1000, 1))?;
        assert_eq!(echo.echo(number)?, number);
        Connection::close(echo)?;
        drop(env.connect::<dyn Echo>("y", &())?);
    }
    while env.budget()? != before {
        std::thread::yield_now();
    }
    Ok(())
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// A parent within: its child `up` uses what is served above, its child `down` serves what is used from above.
fn inner(env: &Env, says: Sender<(Quota, Quota)>) -> Result<(), Error> {
    let host = Host::within(env, |asked: Asked<'_>| match asked.client {
        "" => Route::to("down"),
        _ => Route::Parent,
    })?;
    host.start(Spec::thread("down", LEAF, |env: Env| serve(&env)))?;
    host.announce_above(env, "echo")?;
    host.start(Spec::thread("up", LEAF, |env: Env| {
        let used = use_it(&env);
        env.exit(i32::from(used.is_err()));
    }))?;
    HOST.set(Some(host));
    // When it is told to give, it says what it has, and what its parent says.
    env.when_asked_back(move |env, _| {
        HOST.with_borrow(|host| {
            let Some(host) = host else { return };
            let mine = host.own_quota().checked_add(host.quota("down").unwrap_or_default());
            let _ = says.send((mine.unwrap_or_default(), env.budget().unwrap_or_default()));
        });
    });
    Ok(())
}

#[test]
fn what_a_nested_parent_has_is_what_its_own_parent_says() {
    let pd = Pd::new().unwrap();
    let entrypoint = Entrypoint::new(&pd).unwrap();
    let host = Host::new(&pd, &entrypoint, ALL, |asked: Asked<'_>| match asked.client {
        "inner" => Route::to("server"),
        _ => Route::to("inner"),
    });
    let (says, said) = channel();
    host.start(Spec::thread("server", LEAF, |env: Env| serve(&env))).unwrap();
    host.start(Spec::thread("inner", INNER, move |env: Env| inner(&env, says))).unwrap();
    host.start(Spec::thread("user", LEAF, |env: Env| {
        let used = use_it(&env);
        env.exit(i32::from(used.is_err()));
    }))
    .unwrap();
    host.run_until(|host| host.quota("user").is_none() && host.sessions() == 0).unwrap();
    // Its own child may still be at it: asked until both agree and its child is done.
    let mut last = None;
    host.run_until(|host| {
        host.demand("inner", Quota::NONE);
        last = said.try_iter().last().or(last);
        last == Some((INNER, INNER))
    })
    .unwrap();
    assert_eq!((host.quota("inner"), host.quota("server")), (Some(INNER), Some(LEAF)));
}
