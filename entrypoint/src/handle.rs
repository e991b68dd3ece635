//! How other threads reach an entrypoint.

use crate::entrypoint::Entrypoint;
use crate::error::Error;
use crate::promise::promise;
use crate::turn::caught;
use portcullis_ipc::{Deadline, Waker};
use portcullis_rpc::{Capability, Serves};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// Something for an entrypoint to do.
pub(crate) type Job = Box<dyn FnOnce(&Entrypoint) + Send>;

/// What other threads left for an entrypoint.
pub(crate) struct Mailbox {
    /// `None` once the entrypoint has ended.
    jobs: Mutex<Option<VecDeque<Job>>>,
    waker: Waker,
    thread: ThreadId,
    /// How long somebody waits for a result who says nothing else.
    patience: Deadline,
}

impl Mailbox {
    /// The mailbox of an entrypoint of the calling thread.
    pub(crate) fn new(waker: Waker, patience: Deadline) -> Mailbox {
        let jobs = Mutex::new(Some(VecDeque::new()));
        Mailbox { jobs, waker, thread: std::thread::current().id(), patience }
    }

    /// How long somebody waits who says nothing else.
    pub(crate) fn patience(&self) -> Deadline {
        self.patience
    }

    fn jobs(&self) -> MutexGuard<'_, Option<VecDeque<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn post(&self, job: Job) -> Result<(), Error> {
        let is_first = {
            let mut jobs = self.jobs();
            let Some(jobs) = jobs.as_mut() else { return Err(Error::Ended) };
            jobs.push_back(job);
            jobs.len() == 1
        };
        // Whoever came first has woken the entrypoint, which takes all that is there when it comes.
        if is_first {
            self.waker.wake();
        }
        Ok(())
    }

    /// Entrypoint: the next job.
    pub(crate) fn next(&self) -> Option<Job> {
        self.jobs().as_mut()?.pop_front()
    }

    /// Entrypoint: it comes back later for what is left.
    pub(crate) fn come_back(&self) {
        let is_empty = self.jobs().as_ref().is_none_or(VecDeque::is_empty);
        if !is_empty {
            self.waker.wake();
        }
    }

    /// Entrypoint: it has ended. What is left is foreign code's, to be dropped.
    pub(crate) fn close(&self) -> Option<VecDeque<Job>> {
        self.jobs().take()
    }
}

/// An entrypoint as other threads have it: they leave `Send` objects and closures with it. Clones are the same
/// entrypoint, and outlive it.
///
/// ```
/// use portcullis_entrypoint::Entrypoint;
/// use portcullis_ipc::Pd;
/// use portcullis_rpc::{Capability, Error, rpc_interface};
///
/// #[rpc_interface]
/// trait Counter {
///     fn add(&mut self, amount: u32) -> Result<u32, Error>;
/// }
///
/// impl Counter for u32 {
///     fn add(&mut self, amount: u32) -> Result<u32, Error> {
///         *self += amount;
///         Ok(*self)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let entrypoint = Entrypoint::new(&Pd::new()?)?;
/// let handle = entrypoint.handle();
/// let other = std::thread::spawn(move || -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
///     let counter: Capability<dyn Counter> = handle.manage(40_u32)?;
///     let sum = counter.client().add(2)?;
///     let objects = handle.ask(|entrypoint| entrypoint.usage().objects)?;
///     assert_eq!(objects, 2, "the counter, and the entrypoint itself");
///     handle.stop();
///     Ok(sum)
/// });
/// entrypoint.run()?;
/// assert_eq!(other.join().expect("it does not panic").expect("it is served"), 42);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EntrypointHandle(pub(crate) Arc<Mailbox>);

impl EntrypointHandle {
    /// Has the closure run on the entrypoint's thread, as a handler of its own, after those that were posted before.
    /// Does not wait. If the entrypoint ends before, the closure is dropped.
    ///
    /// # Errors
    /// [`Error::Ended`]; the closure is dropped.
    pub fn post(&self, job: impl FnOnce(&Entrypoint) + Send + 'static) -> Result<(), Error> {
        self.0.post(Box::new(job))
    }

    /// Has the closure run on the entrypoint's thread, and waits for its result: for the default time of the
    /// entrypoint's protection domain.
    ///
    /// # Errors
    /// [`Error::OwnThread`] on the entrypoint's thread itself. [`Error::Ended`], [`Error::DeadlineExceeded`] (the
    /// closure may still run, and its result is dropped), or [`Error::Panicked`].
    pub fn ask<R: Send + 'static>(
        &self,
        job: impl FnOnce(&Entrypoint) -> R + Send + 'static,
    ) -> Result<R, Error> {
        self.ask_with(self.0.patience, job)
    }

    /// As [`ask`](Self::ask), for as long as the deadline says.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn ask_with<R: Send + 'static>(
        &self,
        deadline: Deadline,
        job: impl FnOnce(&Entrypoint) -> R + Send + 'static,
    ) -> Result<R, Error> {
        self.request(deadline, job, |_, _| ())
    }

    /// [Manages](Entrypoint::manage) an object there, and waits until it is: for the default time of the
    /// entrypoint's protection domain.
    ///
    /// # Errors
    /// As [`ask`](Self::ask). The object is dropped then, by the entrypoint if it came to it too late.
    pub fn manage<I, T>(&self, object: T) -> Result<Capability<I>, Error>
    where
        I: ?Sized + Serves<T>,
        T: Send + 'static,
    {
        let manage = move |entrypoint: &Entrypoint| entrypoint.manage::<I, T>(object);
        self.request(self.0.patience, manage, |entrypoint, unwanted| {
            entrypoint.dissolve(&unwanted);
        })
    }

    /// Has the closure run, and waits for its result; a result that nobody waits for any more goes to `unwanted`.
    fn request<R: Send + 'static>(
        &self,
        deadline: Deadline,
        job: impl FnOnce(&Entrypoint) -> R + Send + 'static,
        unwanted: impl FnOnce(&Entrypoint, R) + Send + 'static,
    ) -> Result<R, Error> {
        if std::thread::current().id() == self.0.thread {
            return Err(Error::OwnThread);
        }
        let (awaited, promised) = promise();
        self.post(move |entrypoint| {
            let result = caught(|| job(entrypoint)).ok_or(Error::Panicked);
            if let Err(Ok(result)) = promised.keep(result) {
                unwanted(entrypoint, result);
            }
        })?;
        awaited.wait(deadline)?
    }

    /// Has [`Entrypoint::run`] return, after what was posted before. Nothing happens if the entrypoint has ended.
    pub fn stop(&self) {
        let _ = self.post(Entrypoint::stop);
    }
}

impl fmt::Debug for EntrypointHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.0.jobs() {
            Some(jobs) => format!("{} jobs wait", jobs.len()),
            None => "ended".into(),
        };
        f.debug_tuple("EntrypointHandle").field(&format_args!("{state}")).finish()
    }
}
