//! What a component does when its parent wants quota back.

use portcullis_component::host::{Asked, Host, Route, Spec};
use portcullis_component::{Env, Quota};
use portcullis_entrypoint::Entrypoint;
use portcullis_ipc::Pd;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

#[test]
fn who_is_asked_may_leave_the_next_time_to_somebody_else() {
    let pd = Pd::new().unwrap();
    let entrypoint = Entrypoint::new(&pd).unwrap();
    let host = Host::new(&pd, &entrypoint, Quota::NONE, |_: Asked<'_>| Route::Parent);
    let (says, said) = channel();
    let construct = move |env: Env| {
        env.when_asked_back(move |env, _| {
            let _ = says.send("first");
            let says = says.clone();
            env.when_asked_back(move |_, _| {
                let _ = says.send("second");
            });
        });
    };
    host.start(Spec::thread("asked", Quota::NONE, construct)).unwrap();
    for expected in ["first", "second", "second"] {
        let (mut heard, began) = (None, Instant::now());
        host.run_until(|host| {
            assert!(began.elapsed() < Duration::from_secs(20), "nobody is asked");
            // Until it has begun there is nobody to ask.
            if heard.is_none() && !host.demand("asked", Quota::NONE) {
                return false;
            }
            heard = said.try_recv().ok();
            heard.is_some()
        })
        .unwrap();
        assert_eq!(heard, Some(expected));
    }
}
