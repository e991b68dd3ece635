//! Components that are threads, and end before they have begun.

use portcullis_component::host::{Asked, Host, Route, Spec};
use portcullis_component::{Env, Quota};
use portcullis_entrypoint::Entrypoint;
use portcullis_ipc::Pd;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Long enough for a thread on a busy machine.
const SOON: Duration = Duration::from_secs(20);
const ROUNDS: usize = 20;

fn host(pd: &Pd, entrypoint: &Entrypoint) -> Host {
    Host::new(pd, entrypoint, Quota::NONE, |_: Asked<'_>| Route::Parent)
}

#[test]
fn a_thread_that_is_killed_as_soon_as_it_is_started_ends() {
    let pd = Pd::new().unwrap();
    let entrypoint = Entrypoint::new(&pd).unwrap();
    let host = host(&pd, &entrypoint);
    for _ in 0..ROUNDS {
        host.start(Spec::thread("brief", Quota::NONE, |_: Env| ())).unwrap();
        assert!(host.kill("brief"));
        let began = Instant::now();
        host.run_until(|host| {
            assert!(began.elapsed() < SOON, "it goes on");
            host.quota("brief").is_none()
        })
        .unwrap();
    }
}

#[test]
fn a_thread_ends_with_a_host_that_is_dropped_as_soon_as_it_is_started() {
    let pd = Pd::new().unwrap();
    let entrypoint = Entrypoint::new(&pd).unwrap();
    for _ in 0..ROUNDS {
        let host = host(&pd, &entrypoint);
        let (lives, ended) = channel::<()>();
        host.start(Spec::thread("brief", Quota::NONE, move |_: Env| drop(lives))).unwrap();
        drop(host);
        assert_eq!(ended.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected));
    }
}
