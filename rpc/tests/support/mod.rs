//! Objects on threads of their own, served without an entrypoint: what the runtime needs of one, and no more.

use portcullis_ipc::{Deadline, Error, MsgBuf, Pd, Refusal, Server};
use portcullis_rpc::{Capability, Outbox, Outcome, Serves, serve};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

/// Serves an object on a thread of its own, for as long as the process lives.
pub(crate) fn host<I, T>(make: impl FnOnce() -> T + Send + 'static) -> Capability<I>
where
    I: ?Sized + Serves<T>,
{
    let (to_us, capability) = mpsc::channel();
    std::thread::spawn(move || -> Result<(), Error> {
        let mut server = Server::new(&Pd::new()?)?;
        let _ = to_us.send(server.capability());
        run::<I, T>(&mut server, &mut make())
    });
    Capability::from_untyped(capability.recv().expect("the server thread starts"))
}

fn run<I: ?Sized + Serves<T>, T>(server: &mut Server, object: &mut T) -> Result<(), Error> {
    let (mut request, mut reply, outbox) = (MsgBuf::new(), MsgBuf::new(), Outbox::new());
    loop {
        let caller = server.wait(&mut request, Deadline::Never)?.caller;
        let dispatch = AssertUnwindSafe(|| serve::<I, T>(object, &mut request, &mut reply));
        match catch_unwind(dispatch).unwrap_or(Err(Refusal::Panicked)) {
            Ok(Outcome::Answered) => server.reply(caller, &reply)?,
            Ok(Outcome::Later(deferred)) => deferred.bind(caller, &outbox),
            Err(refusal) => server.refuse(caller, refusal)?,
        }
        outbox.flush(server);
    }
}
