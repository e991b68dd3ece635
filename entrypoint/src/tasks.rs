//! Tasks of an entrypoint: what it has begun and waits for, while it serves.

use crate::entrypoint::Entrypoint;
use crate::handle::Mailbox;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

/// The tasks that wait. One that is being polled is not here.
#[derive(Default)]
pub(crate) struct Tasks {
    last: u64,
    waiting: BTreeMap<u64, Task>,
}

impl Tasks {
    /// All that wait.
    pub(crate) fn into_tasks(self) -> impl Iterator<Item = Task> {
        self.waiting.into_values()
    }
}

pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Has a task polled, by the mailbox of its entrypoint.
struct Bell {
    task: u64,
    mailbox: Arc<Mailbox>,
    /// Whether it is about to be polled already.
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            let mailbox = self.mailbox.clone();
            // An entrypoint that has ended has dropped its tasks.
            let _ = mailbox.post(Box::new(move |entrypoint| entrypoint.poll_task(self)));
        }
    }
}

impl Entrypoint {
    /// Has a future run on the entrypoint's thread, between its handlers: for calls that the entrypoint makes and does not
    /// wait for, by the asynchronous twins. May be called from within a method; the future is first polled afterwards, and
    /// what it calls is nobody's nested call, so that no client's deadline is its own. It is dropped with the entrypoint,
    /// which it must not keep alive (see [`WeakEntrypoint`](crate::WeakEntrypoint)). If it panics it is dropped.
    ///
    /// ```
    /// use portcullis_entrypoint::Entrypoint;
    /// use portcullis_ipc::Pd;
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// let entrypoint = Entrypoint::new(&Pd::new()?)?;
    /// let (done, seen) = (Rc::new(Cell::new(false)), entrypoint.downgrade());
    /// let also_done = done.clone();
    /// entrypoint.spawn(async move {
    ///     also_done.set(true);
    ///     if let Some(entrypoint) = seen.upgrade() {
    ///         entrypoint.stop();
    ///     }
    /// });
    /// assert!(!done.get(), "not before the entrypoint runs");
    /// entrypoint.run()?;
    /// assert!(done.get());
    /// # Ok::<_, portcullis_entrypoint::Error>(())
    /// ```
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let number = {
            let mut tasks = self.0.tasks.borrow_mut();
            tasks.last += 1;
            let number = tasks.last;
            tasks.waiting.insert(number, Box::pin(task));
            number
        };
        let mailbox = self.0.mailbox.clone();
        Arc::new(Bell { task: number, mailbox, rung: AtomicBool::new(false) }).wake();
    }

    fn poll_task(&self, bell: Arc<Bell>) {
        // Acquire: what was done before the ring is seen by the poll. Later rings poll once more.
        bell.rung.swap(false, Ordering::AcqRel);
        let number = bell.task;
        // Borrowed for this statement only: the task may spawn others.
        let taken = self.0.tasks.borrow_mut().waiting.remove(&number);
        let Some(mut task) = taken else { return };
        let waker = Waker::from(bell);
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.0.tasks.borrow_mut().waiting.insert(number, task);
        }
    }
}
