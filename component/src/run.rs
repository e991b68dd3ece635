//! The life of a component, from its first instruction to its exit code. The same for a process and for a thread.

use crate::env::Env;
use crate::error::Error;
use crate::protocol::{Component, Parent};
use crate::quota::Quota;
use crate::sandbox::harden;
use portcullis_entrypoint::{self as entrypoint, Entrypoint, WeakEntrypoint};
use portcullis_ipc::{self as ipc, Pd};
use portcullis_rpc::{Capability, Deadline};
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a component ends with whose `construct` failed.
const CONSTRUCT_FAILED: i32 = 1;

/// What a component's `construct` may return: nothing, or why the component cannot be.
#[diagnostic::on_unimplemented(
    message = "a component cannot end with a `{Self}`",
    label = "let `construct` return nothing, or `Result<(), E>` with `E: Display`"
)]
pub trait Constructed {
    /// The reason, if there is one.
    fn failure(self) -> Option<String>;
}

impl Constructed for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: Display> Constructed for Result<(), E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// The component's first object.
struct Birth {
    entrypoint: WeakEntrypoint,
    begun: Rc<Begun>,
}

/// What the first object has learned.
#[derive(Default)]
struct Begun {
    parent: RefCell<Option<Capability<dyn Parent>>>,
    is_confined: Cell<bool>,
    env: RefCell<Option<Env>>,
}

impl Birth {
    fn stop_serving(&self) {
        if let Some(entrypoint) = self.entrypoint.upgrade() {
            entrypoint.stop();
        }
    }

    fn env(&self) -> Result<Env, Error> {
        self.begun.env.borrow().clone().ok_or(Error::SessionBusy)
    }
}

impl Component for Birth {
    fn start(&mut self, parent: Capability<dyn Parent>, is_confined: bool) -> Result<(), Error> {
        self.begun.is_confined.set(is_confined);
        *self.begun.parent.borrow_mut() = Some(parent);
        // `construct` is no handler: nobody waits for it, and it may wait for others.
        self.stop_serving();
        Ok(())
    }

    fn heartbeat(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn yield_quota(&mut self, quota: Quota) -> Result<(), Error> {
        let env = self.env()?;
        // The parent need not wait while it is given.
        let later = env.clone();
        env.entrypoint().spawn(async move { later.asked_back(quota) });
        Ok(())
    }

    fn stop(&mut self) -> Result<(), Error> {
        match self.env() {
            Ok(env) => env.stop(),
            Err(_) => self.stop_serving(),
        }
        Ok(())
    }
}

/// Runs a component: what the attribute [`component`](crate::component) makes of `construct` calls it from `main`. Serves
/// until the component [exits](Env::exit), or its parent ends.
pub fn run<R: Constructed>(construct: impl FnOnce(Env) -> R) -> ExitCode {
    let ended = Pd::new().map_err(entrypoint::Error::from).and_then(|pd| {
        let entrypoint = Entrypoint::new(&pd)?;
        live(&pd, &entrypoint, Arc::default(), construct, |birth| entrypoint.serve_parent(birth))
    });
    match ended {
        // As the system takes it: the lower eight bits.
        Ok(code) => ExitCode::from((code & 0xff).to_le_bytes()[0]),
        Err(error) => {
            eprintln!("the component cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A component's whole life; `offer` gives its first object to the parent. Whoever sets `stopped` and stops the entrypoint ends it.
pub(crate) fn live<R: Constructed>(
    pd: &Pd,
    entrypoint: &Entrypoint,
    stopped: Arc<AtomicBool>,
    construct: impl FnOnce(Env) -> R,
    offer: impl FnOnce(&Capability<dyn Component>) -> Result<(), entrypoint::Error>,
) -> Result<i32, entrypoint::Error> {
    let begun = Rc::<Begun>::default();
    let birth = Birth { entrypoint: entrypoint.downgrade(), begun: begun.clone() };
    let birth: Capability<dyn Component> = entrypoint.manage(birth);
    offer(&birth)?;
    if !serve(entrypoint, Deadline::Never)? {
        return Ok(0);
    }
    // Stopped before it was started, or as soon as it was: then there is nothing to do.
    let parent = begun.parent.borrow_mut().take().filter(|_| !stopped.load(Ordering::Relaxed));
    let Some(parent) = parent else { return Ok(0) };
    let env = Env::new(pd, entrypoint, &parent, stopped);
    *begun.env.borrow_mut() = Some(env.clone());
    let hardened = if begun.is_confined.get() { harden() } else { Ok(()) };
    let code =
        match hardened.map_or_else(|error| Some(error.to_string()), |()| construct(env.clone()).failure()) {
            Some(failure) => {
                // A parent that is gone does not want to know, and may be why.
                if env.parent().exit(CONSTRUCT_FAILED).is_ok() {
                    eprintln!("the component failed: {failure}");
                }
                return Ok(CONSTRUCT_FAILED);
            }
            None => {
                let mut goes_on = true;
                while goes_on && !env.is_stopped() {
                    goes_on = serve(entrypoint, env.next_alarm())?;
                    env.ring_alarms();
                }
                env.exit_code().unwrap_or(0)
            }
        };
    // A parent that is gone does not want to know.
    let _ = env.parent().exit(code);
    Ok(code)
}

/// Serves until it is stopped, or until then; answers whether the parent is still there.
fn serve(entrypoint: &Entrypoint, until: Deadline) -> Result<bool, entrypoint::Error> {
    match entrypoint.run_until(until) {
        Ok(()) => Ok(true),
        Err(entrypoint::Error::Transport(ipc::Error::ParentGone)) => Ok(false),
        Err(error) => Err(error),
    }
}
