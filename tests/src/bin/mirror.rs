//! A process whose object returns what it gets, in every shape of argument and result.

#[path = "../../../rpc/tests/support/echo.rs"]
mod echo;
#[path = "../../tests/shapes/hall.rs"]
mod hall;

use echo::{Echo, Mirror, Number};
use hall::Hall;
use portcullis_entrypoint::{Entrypoint, Error as EntrypointError, WeakEntrypoint};
use portcullis_ipc::WaitPolicy;
use portcullis_rpc::{Capability, Error};
use portcullis_tests::host::patient;

struct Owner(WeakEntrypoint);

impl Owner {
    fn entrypoint(&self) -> Result<Entrypoint, Error> {
        self.0.upgrade().ok_or(Error::Disconnected)
    }
}

impl Hall for Owner {
    fn mirror(&mut self) -> Result<Capability<dyn Echo>, Error> {
        Ok(self.entrypoint()?.manage(Mirror))
    }

    fn number(&mut self, number: u32) -> Result<Capability<dyn Number>, Error> {
        Ok(self.entrypoint()?.manage(number))
    }
}

fn main() -> Result<(), EntrypointError> {
    // It ends with the process that started it, not with the thread: that is one test of many.
    let entrypoint = Entrypoint::new(&patient(WaitPolicy::Adaptive)?)?;
    let root: Capability<dyn Hall> = entrypoint.manage(Owner(entrypoint.downgrade()));
    entrypoint.serve_parent(&root)?;
    match entrypoint.run() {
        Err(EntrypointError::Transport(portcullis_ipc::Error::ParentGone)) => Ok(()),
        ended => ended,
    }
}
