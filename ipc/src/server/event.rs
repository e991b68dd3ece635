//! What a server waits for.

use super::caller::Caller;
use super::home::Home;
use crate::badge::Badge;
use std::sync::Arc;

/// A call that arrived.
#[derive(Debug)]
pub struct Request {
    /// The object that is called.
    pub badge: Badge,
    /// Who waits for the answer.
    pub caller: Caller,
}

/// What a server waits for, beside calls too.
///
/// See [`Waker`] for an example.
#[derive(Debug)]
pub enum Event {
    /// A call arrived.
    Call(Request),
    /// Somebody used the server's [`Waker`], once or several times.
    Woken,
    /// Nobody holds a capability any more to this object, which was made by
    /// [`mint_counted`](super::Server::mint_counted).
    Unreferenced(Badge),
    /// Somebody submitted a signal to this context, once or several times since this was last said.
    Signal(Badge),
}

/// An event that is no call. Apart from those, so that a call is not moved about in memory, as what may be several things
/// is.
pub(super) enum Notice {
    Woken,
    Unreferenced(Badge),
    Signal(Badge),
}

impl From<Notice> for Event {
    fn from(notice: Notice) -> Event {
        match notice {
            Notice::Woken => Event::Woken,
            Notice::Unreferenced(badge) => Event::Unreferenced(badge),
            Notice::Signal(badge) => Event::Signal(badge),
        }
    }
}

/// Wakes a server from other threads of its process. Clones wake the same server.
///
/// ```
/// # fn main() -> Result<(), portcullis_ipc::Error> {
/// use portcullis_ipc::{Deadline, Event, MsgBuf, Pd, Server};
///
/// let mut server = Server::new(&Pd::new()?)?;
/// let waker = server.waker();
/// let thread = std::thread::spawn(move || waker.wake());
/// let event = server.next(&mut MsgBuf::new(), Deadline::Never)?;
/// assert!(matches!(event, Event::Woken));
/// thread.join().expect("it only wakes");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Waker(pub(super) Arc<Home>);

impl Waker {
    /// Has [`Server::next`](super::Server::next) answer [`Event::Woken`] once from now. Never waits; after the
    /// server's end it does nothing.
    pub fn wake(&self) {
        self.0.wake();
    }
}
