//! A small executor: tasks on the calling thread, each polled only when its own waker was used.
//!
//! One that polls everything whenever anything happens would hide a wake-up that is lost.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// Runs a future to its end.
///
/// # Panics
/// If the future does.
pub fn block_on<F: Future>(future: F) -> F::Output {
    run_all([future]).pop().expect("one future, one output")
}

/// Runs futures to their ends, all at once on this thread; answers their outputs in order.
///
/// # Panics
/// If one of them does.
pub fn run_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let ready = Arc::new(Ready { tasks: Mutex::default(), thread: std::thread::current() });
    let mut tasks: Vec<Task<F>> = futures.into_iter().map(|future| Task::Runs(Box::pin(future))).collect();
    let wakers: Vec<Waker> =
        (0..tasks.len()).map(|task| Arc::new(Woken { task, ready: ready.clone() }).into()).collect();
    (0..tasks.len()).for_each(|task| ready.put(task));
    let mut left = tasks.len();
    while left != 0 {
        let Some(task) = ready.take() else {
            std::thread::park();
            continue;
        };
        if let Task::Runs(future) = &mut tasks[task]
            && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&wakers[task]))
        {
            tasks[task] = Task::Done(output);
            left -= 1;
        }
    }
    tasks.into_iter().filter_map(Task::output).collect()
}

enum Task<F: Future> {
    Runs(Pin<Box<F>>),
    Done(F::Output),
}

impl<F: Future> Task<F> {
    fn output(self) -> Option<F::Output> {
        match self {
            Task::Runs(_) => None,
            Task::Done(output) => Some(output),
        }
    }
}

/// The tasks to be polled next.
struct Ready {
    tasks: Mutex<VecDeque<usize>>,
    thread: Thread,
}

impl Ready {
    fn put(&self, task: usize) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
        self.thread.unpark();
    }

    fn take(&self) -> Option<usize> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

struct Woken {
    task: usize,
    ready: Arc<Ready>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.ready.put(self.task);
    }
}
