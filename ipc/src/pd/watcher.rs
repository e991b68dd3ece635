//! The thread that sees the other sides of a domain's channels die.

use crate::error::Error;
use crate::pd::peer_socket::PeerSocket;
use crate::sys::socket;
use crate::table::Table;
use crate::wire::head::RowName;
use rustix::event::{EventfdFlags, epoll};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Who wants to know that the other side of a socket is gone.
pub(crate) trait HangUp: Send + Sync {
    /// It is gone. Called on the watcher's thread; must not wait.
    fn hang_up(&self);
}

/// The watcher of a domain. Its thread sleeps for as long as nobody dies.
#[derive(Debug)]
pub(crate) struct Watcher(Arc<Shared>);

struct Shared {
    epoll: OwnedFd,
    /// Wakes the thread to stop.
    bell: OwnedFd,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    watched: Table<Weak<dyn HangUp>>,
    stop: bool,
}

/// The event of the watcher's own bell; no table name is zero.
const BELL: u64 = 0;

impl Watcher {
    /// Starts the thread.
    pub(crate) fn start() -> Result<Watcher, Error> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let shared = Arc::new(Shared {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(Error::system("epoll_create1"))?,
            bell: rustix::event::eventfd(0, flags).map_err(Error::system("eventfd"))?,
            state: Mutex::default(),
        });
        epoll::add(&shared.epoll, &shared.bell, epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)
            .map_err(Error::system("epoll_ctl"))?;
        let of_thread = shared.clone();
        std::thread::Builder::new().name("portcullis-watch".into()).spawn(move || of_thread.run()).map_err(
            |error| Error::System {
                call: "clone",
                reason: rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::AGAIN),
            },
        )?;
        Ok(Watcher(shared))
    }

    /// Tells `who` when the other side of the socket is closed, until the watch is dropped.
    pub(crate) fn watch(&self, socket: Arc<PeerSocket>, who: Weak<dyn HangUp>) -> Result<Watch, Error> {
        let name = self.0.state().watched.insert(who).ok_or(Error::BudgetExceeded)?;
        let events = epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        let watch = Watch { shared: self.0.clone(), socket, name };
        epoll::add(&self.0.epoll, watch.socket.as_fd(), epoll::EventData::new_u64(name.encode()), events)
            .map_err(Error::system("epoll_ctl"))?;
        Ok(watch)
    }
}

impl Drop for Watcher {
    /// Does not wait for the thread: it may be the one that drops the last channel of its domain.
    fn drop(&mut self) {
        self.0.state().stop = true;
        socket::notify(&self.0.bell);
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut space = [MaybeUninit::uninit(); 16];
        loop {
            // Interrupted, or nothing: look again.
            let Ok((events, _)) = epoll::wait(&self.epoll, &mut space[..], None) else { continue };
            for event in events.iter() {
                match event.data.u64() {
                    BELL => {
                        socket::reset(&self.bell);
                        if self.state().stop {
                            return;
                        }
                    }
                    name => {
                        let who = self.state().watched.get(RowName::decode(name)).and_then(Weak::upgrade);
                        if let Some(who) = who {
                            who.hang_up();
                        }
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// A watched socket; dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    socket: Arc<PeerSocket>,
    name: RowName,
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Before the descriptor can be closed: a closed one could not be deregistered any more (epoll(7)).
        let _ = epoll::delete(&self.shared.epoll, self.socket.as_fd());
        self.shared.state().watched.remove(self.name);
    }
}
