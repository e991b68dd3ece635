//! One value from another thread to a task.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
struct Shared<T> {
    value: Option<T>,
    is_gone: bool,
    waker: Option<Waker>,
}

/// The side that gives the value. Dropped without it, it says that there is none.
#[derive(Debug)]
pub(crate) struct Giver<T>(Arc<Mutex<Shared<T>>>);

/// The value, when it is there; `None` if there never will be one.
#[derive(Debug)]
pub(crate) struct Given<T>(Arc<Mutex<Shared<T>>>);

pub(crate) fn once<T>() -> (Giver<T>, Given<T>) {
    let shared = Arc::new(Mutex::new(Shared { value: None, is_gone: false, waker: None }));
    (Giver(shared.clone()), Given(shared))
}

impl<T> Giver<T> {
    pub(crate) fn give(self, value: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).value = Some(value);
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        let waker = {
            let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            shared.is_gone = true;
            shared.waker.take()
        };
        // Outside of the lock: it is foreign code.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Given<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.is_gone {
            return Poll::Ready(shared.value.take());
        }
        shared.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
