//! The thread that sees the other sides of a domain's channels die, and that wakes the tasks that call through them.

use super::alarms::{self, Alarms};
use crate::error::Error;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::sys::room::BETWEEN_LOOKS;
use crate::sys::socket;
use crate::table::Table;
use crate::transport::Drained;
use crate::wake::wake;
use crate::wire::head::RowName;
use crossbeam_queue::SegQueue;
use rustix::event::{EventfdFlags, Timespec, epoll};
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

/// Who wants to know that the other side of a socket is gone.
pub(crate) trait HangUp: Send + Sync {
    /// It is gone. Called on the watcher's thread; must not wait.
    fn hang_up(&self);

    /// There is something on the socket, for whoever [listens](Watch::listen): reads it for a moment and answers
    /// whether there may be more. Called on the watcher's thread; must not wait.
    fn read(&self) -> Drained {
        Drained::Closed
    }
}

/// The watcher of a domain. Its thread sleeps for as long as nobody dies, no task's server rings, and nothing is due
/// that a task waits for.
#[derive(Debug)]
pub(crate) struct Watcher(Arc<Shared>);

struct Shared {
    epoll: OwnedFd,
    /// Wakes the thread to stop, or to look at the alarms.
    bell: OwnedFd,
    state: Mutex<State>,
    alarms: Alarms,
    /// What was woken of what runs on the thread.
    woken: SegQueue<Arc<Background>>,
}

/// A future that runs on the watcher's thread.
struct Background {
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    shared: Arc<Shared>,
}

impl Wake for Background {
    fn wake(self: Arc<Self>) {
        let shared = self.shared.clone();
        shared.woken.push(self);
        socket::notify(&shared.bell);
    }
}

impl Background {
    /// Only on the watcher's thread. A waker that is used meanwhile has it polled once more.
    fn poll(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut future = self.future.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = future.as_mut()
            && running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
        {
            *future = None;
        }
    }
}

#[derive(Default)]
struct State {
    watched: Table<Weak<dyn HangUp>>,
    stop: bool,
}

/// The event of the watcher's own bell; no table name is zero.
const BELL: u64 = 0;

/// What wakes the thread for a socket that nobody listens to.
const DEATH: epoll::EventFlags = epoll::EventFlags::RDHUP.union(epoll::EventFlags::ET);

impl Watcher {
    /// Starts the thread.
    pub(crate) fn start() -> Result<Watcher, Error> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let shared = Arc::new(Shared {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(Error::system("epoll_create1"))?,
            bell: rustix::event::eventfd(0, flags).map_err(Error::system("eventfd"))?,
            state: Mutex::default(),
            alarms: Alarms::default(),
            woken: SegQueue::new(),
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
    pub(crate) fn watch(&self, socket: Arc<PeerDescriptor>, who: Weak<dyn HangUp>) -> Result<Watch, Error> {
        self.watch_for(DEATH, socket, who)
    }

    /// Tells `who` of what can be read, too.
    pub(crate) fn listen(&self, socket: Arc<PeerDescriptor>, who: Weak<dyn HangUp>) -> Result<Watch, Error> {
        self.watch_for(DEATH | epoll::EventFlags::IN, socket, who)
    }

    fn watch_for(
        &self,
        events: epoll::EventFlags,
        socket: Arc<PeerDescriptor>,
        who: Weak<dyn HangUp>,
    ) -> Result<Watch, Error> {
        let name = self.0.state().watched.insert(who).ok_or(Error::BudgetExceeded)?;
        let watch = Watch { shared: self.0.clone(), socket, name };
        epoll::add(&self.0.epoll, watch.socket.as_fd(), watch.data(), events)
            .map_err(Error::system("epoll_ctl"))?;
        Ok(watch)
    }

    /// Runs a future to its end, on the watcher's thread: it must not wait otherwise. Answers what wakes it.
    pub(crate) fn run(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        let future = Mutex::new(Some(Box::pin(future) as Pin<Box<_>>));
        let waker = Waker::from(Arc::new(Background { future, shared: self.0.clone() }));
        waker.wake_by_ref();
        waker
    }

    /// Wakes the task at that time, until the alarm is dropped.
    pub(crate) fn alarm(&self, at: Instant, waker: &Waker) -> Alarm {
        let (name, ring) = self.0.alarms.add(at, waker);
        if ring {
            socket::notify(&self.0.bell);
        }
        Alarm { shared: self.0.clone(), name }
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
        // Sockets that were read for a moment and may hold more: they take turns with all else.
        let mut unread = VecDeque::new();
        let mut starving = Starving::default();
        loop {
            let now = Instant::now();
            unread.extend(starving.take_due(now));
            let (due, left) = self.alarms.take_due(now);
            due.into_iter().for_each(wake);
            let left = starving.next_look(now).into_iter().chain(left).min();
            let left = if unread.is_empty() { left } else { Some(Duration::ZERO) };
            let left = left.map(|left| Timespec {
                tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            });
            // Interrupted, or nothing: look again.
            let Ok((events, _)) = epoll::wait(&self.epoll, &mut space[..], left.as_ref()) else { continue };
            let turns = unread.len();
            for event in events.iter() {
                match event.data.u64() {
                    BELL => {
                        socket::reset(&self.bell);
                        if self.state().stop {
                            // They have ended, since each holds the domain, but they hold us.
                            while self.woken.pop().is_some() {}
                            return;
                        }
                        // No more than there are now: one that wakes itself takes turns with all else. Who is woken
                        // after this has rung after the bell was reset.
                        for _ in 0..self.woken.len() {
                            let Some(task) = self.woken.pop() else { break };
                            task.poll();
                        }
                    }
                    name => self.attend(name, event.flags, &mut unread, &mut starving),
                }
            }
            for _ in 0..turns {
                let Some(name) = unread.pop_front() else { break };
                self.attend(name, epoll::EventFlags::IN, &mut unread, &mut starving);
            }
        }
    }

    /// Something happened to that socket.
    fn attend(
        &self,
        name: u64,
        flags: epoll::EventFlags,
        unread: &mut VecDeque<u64>,
        starving: &mut Starving,
    ) {
        let who = self.state().watched.get(RowName::decode(name)).and_then(Weak::upgrade);
        let Some(who) = who else { return };
        // What was sent before the end counts.
        if flags.contains(epoll::EventFlags::IN) {
            match who.read() {
                Drained::More if !unread.contains(&name) => unread.push_back(name),
                Drained::NoRoom => starving.add(name),
                _ => {}
            }
        }
        if flags.intersects(DEATH | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
            who.hang_up();
        }
    }
}

/// Sockets that were left unread, since there are no descriptors to spare.
#[derive(Default)]
struct Starving {
    sockets: Vec<u64>,
    look: Option<Instant>,
}

impl Starving {
    fn add(&mut self, socket: u64) {
        if !self.sockets.contains(&socket) {
            self.sockets.push(socket);
        }
        self.look.get_or_insert_with(|| Instant::now() + BETWEEN_LOOKS);
    }

    /// All of them, if it is time to look again.
    fn take_due(&mut self, now: Instant) -> Vec<u64> {
        match self.look.take_if(|look| *look <= now) {
            Some(_) => std::mem::take(&mut self.sockets),
            None => Vec::new(),
        }
    }

    fn next_look(&self, now: Instant) -> Option<Duration> {
        self.look.map(|look| look.saturating_duration_since(now))
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
    socket: Arc<PeerDescriptor>,
    name: RowName,
}

impl Watch {
    /// From now on its owner is told of what can be read, too; of what is there already at once.
    pub(crate) fn listen(&self) -> Result<(), Error> {
        let events = DEATH | epoll::EventFlags::IN;
        epoll::modify(&self.shared.epoll, self.socket.as_fd(), self.data(), events)
            .map_err(Error::system("epoll_ctl"))
    }

    fn data(&self) -> epoll::EventData {
        epoll::EventData::new_u64(self.name.encode())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Before the descriptor can be closed: a closed one could not be deregistered any more (epoll(7)).
        let _ = epoll::delete(&self.shared.epoll, self.socket.as_fd());
        self.shared.state().watched.remove(self.name);
    }
}

/// Wakes a task when it is time; dropping it ends that.
#[derive(Debug)]
pub(crate) struct Alarm {
    shared: Arc<Shared>,
    name: alarms::Name,
}

impl Alarm {
    /// The task has this waker now.
    pub(crate) fn renew(&self, waker: &Waker) {
        self.shared.alarms.renew(self.name, waker);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.shared.alarms.remove(self.name);
    }
}

#[cfg(test)]
mod tests;
