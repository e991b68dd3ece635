//! The transport across processes: a SEQPACKET socket that the kernel protects, and a doorbell.

mod inbox;

pub(crate) use inbox::News;

use super::{Carried, Refused, Transport};
use crate::capability::Capability;
use crate::client::portal::Origin;
use crate::dataspace::{Dataspace, Outgoing};
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::Pd;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::sys::pipe::Pipe;
use crate::sys::room;
use crate::sys::socket::{self, Glance, Receipt, Unsent};
use crate::wire::control::{Control, DOORBELL, Tag, Token};
use crate::wire::head::RowName;
use crate::wire::layout::{LaneId, SLOTS};
use crate::wire::slot::{Group, Slot};
use inbox::Inbox;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What reading the socket came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// It is empty; more may come.
    Empty,
    /// There may be more to read now: nobody is read from for longer than a moment.
    More,
    /// The other end is closed; what had been sent before was read.
    Closed,
    /// This process has no descriptors to spare. What is there stays there; nobody says when there is room again.
    NoRoom,
}

/// More messages than a socket ever holds: who reads so many has read all that was there when it began.
pub(crate) const MOST_QUEUED: usize = 1_024;

/// Messages that a client reads at once when it listens: as many as an honest server leaves unread, and some.
const MOST_HEARD: usize = 32;

/// One end of a channel across processes.
#[derive(Debug)]
pub(crate) struct SocketTransport {
    pd: Pd,
    socket: Arc<PeerDescriptor>,
    /// The pipe that wakes the server; without one the socket does.
    bell: OnceLock<Pipe>,
    sent: AtomicU16,
    sending: Mutex<()>,
    inbox: Mutex<Inbox>,
    greeting: Mutex<Greeting>,
    ticket: Mutex<Ticket>,
    /// Tells the introducers of portals apart: what comes over this socket comes from one of them.
    introducer: u64,
}

/// Client: what the entrypoint said of itself, which it does once.
#[derive(Debug, Default)]
enum Greeting {
    #[default]
    Expected,
    Here(EntrypointId, PeerDescriptor),
    Taken,
}

/// Client: what the entrypoint said when it took the portal up, which it does once.
#[derive(Debug, Default)]
enum Ticket {
    #[default]
    Expected,
    Here(Token, PeerDescriptor),
    /// None comes, for want of room on its opener's account.
    Refused,
    /// Or this is a channel's socket, over which none comes.
    Taken,
}

impl SocketTransport {
    pub(crate) fn new(pd: Pd, socket: Arc<PeerDescriptor>) -> SocketTransport {
        SocketTransport {
            pd,
            socket,
            bell: OnceLock::new(),
            sent: AtomicU16::new(0),
            sending: Mutex::default(),
            inbox: Mutex::default(),
            greeting: Mutex::default(),
            ticket: Mutex::default(),
            introducer: Group::next().0,
        }
    }

    pub(crate) fn peer_socket(&self) -> Arc<PeerDescriptor> {
        self.socket.clone()
    }

    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message that counts: the release ring refers to how many there were.
    fn send_control(&self, control: Control, descriptors: &[BorrowedFd<'_>]) -> Result<(), Unsent> {
        // One at a time: who sees its own message counted must find those counted that went before.
        let _turn = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        socket::send(self.socket(), &control.encode(), descriptors)?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Client: introduces itself with the channel's memory, and its bell if it has one.
    pub(crate) fn introduce(&self, memory: BorrowedFd<'_>, bell: Option<Pipe>) -> Result<(), Error> {
        {
            let read_end = bell.as_ref().map(Pipe::read_end);
            let descriptors: heapless::Vec<_, 2> = std::iter::once(memory).chain(read_end).collect();
            self.send_control(Control::Hello, &descriptors)?;
        }
        let _ = bell.map(|bell| self.bell.set(bell));
        *self.ticket.lock().unwrap_or_else(PoisonError::into_inner) = Ticket::Taken;
        Ok(())
    }

    /// Client: the greeting, if it was read. Once.
    pub(crate) fn known_greeting(&self) -> Option<(EntrypointId, PeerDescriptor)> {
        let mut greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *greeting, Greeting::Taken) {
            Greeting::Here(entrypoint, page) => Some((entrypoint, page)),
            before => {
                *greeting = before;
                None
            }
        }
    }

    /// Client: what was read of a portal that the entrypoint has taken up: its token, and the socket of its channel. Once.
    pub(crate) fn ticket(&self) -> Option<(Token, PeerDescriptor)> {
        let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *ticket, Ticket::Taken) {
            Ticket::Here(token, socket) => Some((token, socket)),
            before => {
                *ticket = before;
                None
            }
        }
    }

    /// Client: whether the entrypoint has said that it does not take the portal up.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(*self.ticket.lock().unwrap_or_else(PoisonError::into_inner), Ticket::Refused)
    }

    /// The lanes for which descriptors were read that no message has asked for.
    pub(crate) fn lanes_held(&self) -> u64 {
        let inbox = self.inbox();
        LaneId::all().filter(|lane| inbox.carried[lane.index()].is_some()).map(LaneId::bit).sum()
    }

    /// How many messages that count were read.
    pub(crate) fn received(&self) -> u16 {
        self.inbox().received
    }

    /// Reads what is there, but no more than `most` messages: descriptors are kept until their message asks for them,
    /// news go to `news`.
    pub(crate) fn drain(&self, news: &mut Vec<News>, most: usize) -> Result<Drained, Error> {
        let mut inbox = self.inbox();
        let mut has_room = false;
        for _ in 0..most {
            if !has_room {
                match socket::glance(self.socket()) {
                    Glance::Messages if room::is_there() => {}
                    Glance::Messages => return Ok(Drained::NoRoom),
                    Glance::Empty => return Ok(Drained::Empty),
                    Glance::Closed => return Ok(Drained::Closed),
                }
            }
            let mut message = match socket::receive(self.socket())? {
                Receipt::Empty => return Ok(Drained::Empty),
                Receipt::Closed => return Ok(Drained::Closed),
                Receipt::Message(message) => message,
            };
            // From here on it does not matter who drops them.
            let descriptors = std::mem::take(&mut message.descriptors).into_iter();
            let descriptors: Vec<_> = descriptors.map(|it| PeerDescriptor::new(&self.pd, it)).collect();
            has_room = descriptors.is_empty();
            if message.cut_off || message.lost && descriptors.len() > SLOTS {
                return Err(Error::Violation("a message on the socket was cut off"));
            }
            if message.lost {
                // Somebody else took the room at that moment. Nobody is to blame, but what came is not whole.
                self.hang_up();
                return Err(socket::NO_ROOM);
            }
            match Control::decode(message.bytes(), descriptors.len())? {
                Control::Doorbell => {}
                control => {
                    inbox.received = inbox.received.wrapping_add(1);
                    inbox.file(control, descriptors, news)?;
                }
            }
        }
        Ok(Drained::More)
    }
}

impl SocketTransport {
    /// Client: reads what is there, but no more than `most` messages. There are no news for a client.
    fn drain_as_client(&self, most: usize) -> Result<Drained, Error> {
        let mut news = Vec::new();
        let drained = self.drain(&mut news, most);
        for next in news {
            let mut greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
            let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
            match (&*greeting, &*ticket, next) {
                (Greeting::Expected, _, News::Greeting(entrypoint, page)) => {
                    *greeting = Greeting::Here(entrypoint, page);
                }
                (_, Ticket::Expected, News::Token(token, socket)) => {
                    *ticket = Ticket::Here(token, socket);
                }
                (_, Ticket::Expected, News::Refusal) => *ticket = Ticket::Refused,
                _ => {
                    return Err(Error::Violation(
                        "a server sent what only a client sends, or said twice what it says once",
                    ));
                }
            }
        }
        drained
    }

    /// What a slot makes of a descriptor.
    fn claim(&self, descriptor: PeerDescriptor, slot: Slot) -> Result<Capability, Error> {
        match slot {
            Slot::Portal(group) if socket::is_portal(descriptor.as_fd()) => {
                let origin = Origin { introducer: self.introducer, group };
                Ok(Capability::from_portal(&self.pd, descriptor, Some(origin)))
            }
            Slot::Portal(_) => Err(Error::Violation("a portal came that is no connected Unix socket")),
            // Whoever attaches it looks at the descriptor. Until then it is dropped as what it may be.
            Slot::Dataspace(attributes) => {
                Ok(Capability::of_dataspace(Dataspace { descriptor: Arc::new(descriptor), attributes }))
            }
            Slot::Row(_) => Err(Error::Violation("a descriptor came for a row")),
        }
    }
}

impl Transport for SocketTransport {
    fn ring(&self) {
        match self.bell.get() {
            Some(pipe) => pipe.ring(),
            // A full socket is no failure: the server has not read it for long, and is being woken.
            None => drop(socket::send(self.socket(), &DOORBELL, &[])),
        }
    }

    fn send(&self, tag: Tag, capabilities: &[Capability]) -> Result<(), Refused> {
        let outgoing = capabilities.iter().map(Capability::outgoing);
        let outgoing =
            outgoing.collect::<Result<heapless::Vec<Outgoing, SLOTS>, _>>().map_err(Refused::There)?;
        let borrowed: heapless::Vec<BorrowedFd<'_>, SLOTS> = outgoing.iter().map(AsFd::as_fd).collect();
        self.send_control(Control::Descriptors(tag), &borrowed).map_err(|unsent| match unsent {
            Unsent::NoRoom => Refused::There(Error::Busy),
            here => Refused::Here(here.into()),
        })
    }

    fn receive(&self, tag: Tag, slots: &[Slot]) -> Result<Carried, Error> {
        // They were sent before the message. A server has read its socket by now; a client reads it here.
        let mut drained = Drained::Empty;
        if self.inbox().carried[tag.lane.index()].is_none() {
            drained = self.drain_as_client(MOST_QUEUED)?;
        }
        match self.inbox().carried[tag.lane.index()].take() {
            Some((sequence, carried)) if sequence == tag.sequence && carried.len() == slots.len() => carried
                .into_iter()
                .zip(slots)
                .map(|(descriptor, slot)| self.claim(descriptor, *slot))
                .collect(),
            None if drained == Drained::NoRoom => Err(socket::NO_ROOM),
            _ => Err(Error::Violation("the descriptors of a message did not come")),
        }
    }

    fn has_received(&self, lane: LaneId) -> bool {
        self.inbox().carried[lane.index()].is_some()
    }

    fn greeting(&self) -> Result<Option<(EntrypointId, PeerDescriptor)>, Error> {
        self.drain_as_client(MOST_QUEUED)?;
        Ok(self.known_greeting())
    }

    fn open(&self, row: RowName, socket: OwnedFd, greeted: bool) -> Result<(), Error> {
        let allowance = self.pd.allowance();
        Ok(self.send_control(Control::Open { row, greeted, allowance }, &[socket.as_fd()])?)
    }

    fn sent(&self) -> u16 {
        self.sent.load(Ordering::Relaxed)
    }

    fn listen(&self) -> Result<Drained, Error> {
        self.drain_as_client(MOST_HEARD)
    }

    fn wake_task(&self, _: LaneId) {
        // A full socket is no failure: the client has not read it for long, and is being woken.
        let _ = socket::send(self.socket(), &DOORBELL, &[]);
    }

    fn hang_up(&self) {
        socket::hang_up(self.socket());
    }
}

impl Drop for SocketTransport {
    fn drop(&mut self) {
        // The other side hears of it now, whoever has copies, and not when it is closed.
        self.hang_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_reads_a_full_socket_a_moment_at_a_time() {
        let pd = Pd::new().unwrap();
        let (ours, theirs) = socket::pair().unwrap();
        let transport = SocketTransport::new(pd.clone(), Arc::new(PeerDescriptor::new(&pd, ours)));
        let mut rings = 0;
        while socket::send(theirs.as_fd(), &DOORBELL, &[]).is_ok() {
            rings += 1;
        }
        for _ in 0..rings / MOST_HEARD {
            assert_eq!(transport.listen(), Ok(Drained::More));
        }
        assert_eq!(transport.listen(), Ok(Drained::Empty));
        drop(theirs);
        assert_eq!(transport.listen(), Ok(Drained::Closed));
    }

    #[test]
    fn who_drops_an_end_hangs_up_whoever_has_copies_of_it() {
        let pd = Pd::new().unwrap();
        let (ours, theirs) = socket::pair().unwrap();
        let _copy = rustix::io::dup(&ours).unwrap();
        drop(SocketTransport::new(pd.clone(), Arc::new(PeerDescriptor::new(&pd, ours))));
        assert!(socket::has_ended(theirs.as_fd()));
    }
}
