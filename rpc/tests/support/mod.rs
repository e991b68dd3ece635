//! Objects on threads of their own, served without an entrypoint: what the runtime needs of one, and no more.
#![allow(dead_code)] // each test takes what it needs

pub(crate) mod echo;

use portcullis_ipc::{self as ipc, Deadline, MsgBuf, Pd, Refusal, Server};
use portcullis_rpc::{Capability, Outbox, Outcome, Serves, serve};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

/// Serves an object on a thread of its own, for as long as the process lives.
pub(crate) fn host<I, T>(make: impl FnOnce() -> T + Send + 'static) -> Capability<I>
where
    I: ?Sized + Serves<T>,
{
    host_all(|| vec![make()]).remove(0)
}

/// Serves objects on a thread of their own, for as long as the process lives.
pub(crate) fn host_all<I, T>(make: impl FnOnce() -> Vec<T> + Send + 'static) -> Vec<Capability<I>>
where
    I: ?Sized + Serves<T>,
{
    let (to_us, capabilities) = mpsc::channel();
    std::thread::spawn(move || -> Result<(), ipc::Error> {
        let mut server = Server::new(&Pd::new()?)?;
        let mut objects = Vec::new();
        let mut minted = Vec::new();
        for object in make() {
            let (badge, capability) = server.mint()?;
            objects.push((badge, object));
            minted.push(capability);
        }
        let _ = to_us.send(minted);
        run::<I, T>(&mut server, &mut objects)
    });
    let minted = capabilities.recv().expect("the server thread starts");
    minted.into_iter().map(Capability::from_untyped).collect()
}

fn run<I: ?Sized + Serves<T>, T>(
    server: &mut Server,
    objects: &mut [(ipc::Badge, T)],
) -> Result<(), ipc::Error> {
    let (mut request, mut reply, outbox) = (MsgBuf::new(), MsgBuf::new(), Outbox::new());
    loop {
        let ipc::Request { badge, caller, .. } = server.wait(&mut request, Deadline::Never)?;
        let Some((_, object)) = objects.iter_mut().find(|(known, _)| *known == badge) else { continue };
        let dispatch = AssertUnwindSafe(|| serve::<I, T>(object, &mut request, &mut reply));
        match catch_unwind(dispatch).unwrap_or(Err(Refusal::Panicked)) {
            Ok(Outcome::Answered) => server.reply(caller, &reply)?,
            Ok(Outcome::Later(deferred)) => deferred.bind(caller, &outbox),
            Err(refusal) => server.refuse(caller, refusal)?,
        }
        outbox.flush(server);
    }
}
