//! Untyped capabilities.

mod passing;

use crate::badge::Badge;
use crate::client::async_call::AsyncCall;
use crate::client::channel::Channel;
use crate::client::fold;
use crate::client::portal::{Origin, Portal, Settled};
use crate::client::reference::{Reached, RowReference};
use crate::dataspace::Dataspace;
use crate::deadline::Deadline;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::server::contexts::Flag;
use crate::server::counted::Holding;
use crate::server::home::Home;
use crate::wire::head::RowName;
use crate::wire::system::ObjectName;
use std::borrow::Cow;
use std::sync::Arc;

/// The right to call one object, or to submit to one signal context, wherever it lives: a local name and a reference
/// count.
///
/// It cannot be made up: it comes from [`Server::mint`](crate::Server::mint), from a message, or from
/// [`Pd::spawn`](crate::Pd::spawn). Clones share the reference; when the last one is dropped, the object's server
/// gets its row back. It has no equality: two capabilities may reach one object by different ways
/// ([`same_object`](Capability::same_object)).
///
/// The server learns nothing of who calls. Holding the capability is the permission.
///
/// ```
/// # fn main() -> Result<(), portcullis_ipc::Error> {
/// use portcullis_ipc::{Deadline, MsgBuf, Pd, Server};
///
/// let (to_main, from_server) = std::sync::mpsc::channel();
/// std::thread::spawn(move || -> Result<(), portcullis_ipc::Error> {
///     let mut server = Server::new(&Pd::new()?)?;
///     let _ = to_main.send(server.capability());
///     let mut message = MsgBuf::new();
///     let caller = server.wait(&mut message, Deadline::Never)?.caller;
///     server.reply(caller, &message)
/// });
/// let capability = from_server.recv().expect("the server thread runs");
/// let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
/// send.write(b"echo")?;
/// capability.call(&send, &mut receive)?;
/// assert_eq!(receive.data(), b"echo");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Capability(Reference);

/// What a capability refers to.
#[derive(Clone)]
enum Reference {
    /// An object of an entrypoint of this very process.
    Own { home: Arc<Home>, badge: Badge, _holding: Option<Arc<Holding>> },
    /// A signal context of an entrypoint of this very process.
    OwnContext { home: Arc<Home>, badge: Badge, flag: Flag },
    /// A row of a channel.
    Row(RowReference),
    /// Something behind a portal, which becomes a channel when it is first used.
    Portal(Arc<Portal>),
    /// No object at all, but memory to be attached.
    Dataspace(Dataspace),
}

impl Capability {
    /// A capability to an object of this process; with its share of the holding if the object is counted.
    pub(crate) fn own(home: Arc<Home>, badge: Badge, holding: Option<Arc<Holding>>) -> Capability {
        Capability(Reference::Own { home, badge, _holding: holding })
    }

    /// A capability to a signal context of this process, and what says that it has a signal.
    pub(crate) fn own_context(home: Arc<Home>, badge: Badge, flag: Flag) -> Capability {
        Capability(Reference::OwnContext { home, badge, flag })
    }

    /// A row that was granted to us, one grant.
    pub(crate) fn granted(channel: Arc<Channel>, row: RowName) -> Capability {
        Capability(Reference::Row(RowReference::new(channel, row)))
    }

    /// What is behind a portal that came from there.
    pub(crate) fn from_portal(pd: &Pd, socket: PeerDescriptor, origin: Option<Origin>) -> Capability {
        Capability(Reference::Portal(Portal::new(pd, socket, origin)))
    }

    pub(crate) fn of_dataspace(dataspace: Dataspace) -> Capability {
        Capability(Reference::Dataspace(dataspace))
    }

    pub(crate) fn as_dataspace(&self) -> Option<&Dataspace> {
        match &self.0 {
            Reference::Dataspace(dataspace) => Some(dataspace),
            _ => None,
        }
    }

    /// The entrypoint of the object, as far as it is known.
    pub(crate) fn entrypoint(&self) -> Option<EntrypointId> {
        match self.reference() {
            Reference::Own { home, .. } | Reference::OwnContext { home, .. } => Some(home.id()),
            Reference::Row(reference) => reference.channel.callee_id(),
            Reference::Portal(portal) => portal.entrypoint(),
            Reference::Dataspace(_) => None,
        }
    }

    /// Calls the object and waits for its answer, for the default time of the protection domain that it came
    /// through; `receive` is replaced by the answer. See [`call_with`](Self::call_with).
    ///
    /// # Errors
    /// As [`call_with`](Self::call_with).
    pub fn call(&self, send: &MsgBuf, receive: &mut MsgBuf) -> Result<(), Error> {
        self.call_with(send, receive, self.default_deadline())
    }

    /// Calls the object and waits for its answer until the deadline; `receive` is replaced by the answer.
    ///
    /// Within a handler, a call takes no longer than what remains to the handler's own caller.
    ///
    /// # Errors
    /// What the object itself answers, good or bad, is data in `receive`. An [`Error`] means that there is no
    /// answer: it names whose fault that is. After [`Error::DeadlineExceeded`] or [`Error::Disconnected`] the call
    /// may or may not have had its effect.
    #[inline]
    pub fn call_with(&self, send: &MsgBuf, receive: &mut MsgBuf, deadline: Deadline) -> Result<(), Error> {
        let (channel, row) = match &self.0 {
            Reference::Row(RowReference { channel, row, .. }) => (channel, *row),
            Reference::Own { home, badge, .. } | Reference::OwnContext { home, badge, .. } => {
                (home.local_channel()?, badge.0)
            }
            Reference::Portal(portal) => match portal.settled() {
                Some(Settled::Row(RowReference { channel, row, .. })) => (channel, *row),
                _ => return self.call_first(portal, send, receive, deadline),
            },
            Reference::Dataspace(_) => return Err(Error::InvalidCapability),
        };
        Channel::call(channel, row, send, receive, deadline)
    }

    /// Calls through a portal that must find its way first, in the same time, or that has come home.
    #[cold]
    fn call_first(
        &self,
        portal: &Portal,
        send: &MsgBuf,
        receive: &mut MsgBuf,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let end = deadline.instant();
        let reached = portal.reach(deadline)?;
        let left = end.map_or(Deadline::Never, Deadline::until);
        Channel::call(reached.channel(), reached.row(), send, receive, left)
    }

    /// Calls the object, for a task that waits for the answer and for no longer than the default time of the protection
    /// domain that the capability came through. See [`call_async_with`](Self::call_async_with).
    pub fn call_async(&self, message: Box<MsgBuf>) -> AsyncCall {
        let deadline = self.default_deadline();
        self.call_async_with(message, deadline)
    }

    /// Calls the object, for a task that waits for the answer until the deadline; the future gives the message back,
    /// and the answer in it. It keeps what it needs of the capability. See [`AsyncCall`].
    ///
    /// Within a handler, a call takes no longer than what remains to the handler's own caller; that is settled here
    /// and not when the future is polled.
    ///
    /// # Errors
    /// Of the future: as [`call_with`](Self::call_with). [`Error::Busy`] if every lane was taken until the deadline.
    pub fn call_async_with(&self, message: Box<MsgBuf>, deadline: Deadline) -> AsyncCall {
        AsyncCall::new(self.clone(), message, deadline)
    }

    /// Submits a signal to the signal context that the capability names: its handler runs at least once after this.
    /// Never waits and never fails, whatever becomes of the handler: if the context was dissolved, its entrypoint has
    /// ended, or the capability names an object, nothing happens.
    ///
    /// While the signal before is not taken yet, this adds nothing to it and costs one atomic operation; otherwise
    /// the entrypoint is woken if it sleeps.
    ///
    /// ```
    /// use portcullis_ipc::{Deadline, Event, MsgBuf, Pd, Server, SignalLevel};
    ///
    /// let mut server = Server::new(&Pd::new()?)?;
    /// let (badge, capability) = server.mint_context(SignalLevel::Application)?;
    /// let producer = std::thread::spawn(move || (0..1_000).for_each(|_| capability.submit()));
    /// let event = server.next(&mut MsgBuf::new(), Deadline::Never)?;
    /// assert!(matches!(event, Event::Signal(of) if of == badge));
    /// producer.join().expect("it cannot fail");
    /// # Ok::<_, portcullis_ipc::Error>(())
    /// ```
    #[inline]
    pub fn submit(&self) {
        match &self.0 {
            Reference::Row(RowReference { channel, row, .. }) => channel.submit(*row),
            Reference::OwnContext { home, badge, flag } => home.submit(*badge, flag),
            // There is no signal for an object, nor for a dataspace.
            Reference::Own { .. } | Reference::Dataspace(_) => {}
            Reference::Portal(portal) => match portal.settled() {
                Some(Settled::Row(RowReference { channel, row, .. })) => channel.submit(*row),
                _ => portal.submit(),
            },
        }
    }

    /// Whether both are capabilities to one object, as far as its entrypoints say. Capabilities that came by
    /// different ways are told apart by asking, so there is no `Eq`: blocks until both have found their entrypoints
    /// and, if these are reached over different channels, have been answered there, for no longer than the deadline.
    ///
    /// An entrypoint can say of its own objects that they are those of another one. So this serves to find what is
    /// known already; it is no proof of who is at the other end.
    ///
    /// ```
    /// use portcullis_ipc::{Deadline, Pd, Server};
    ///
    /// let mut server = Server::new(&Pd::new()?)?;
    /// let (one, other) = (server.mint()?.1, server.mint()?.1);
    /// assert!(one.same_object(&one.clone(), Deadline::Never)?);
    /// assert!(!one.same_object(&other, Deadline::Never)?);
    /// # Ok::<_, portcullis_ipc::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`call_with`](Self::call_with): [`Error::InvalidCapability`] if the object of one was dissolved, and
    /// [`Error::CallCycle`] from within the entrypoint that would have to answer.
    pub fn same_object(&self, other: &Capability, deadline: Deadline) -> Result<bool, Error> {
        let end = deadline.instant();
        let left = || end.map_or(Deadline::Never, Deadline::until);
        for capability in [self, other] {
            if let Reference::Portal(portal) = &capability.0 {
                portal.wait(left(), true)?;
            }
        }
        if let (Some((home, badge)), Some((its_home, its_badge))) = (self.own_badge(), other.own_badge()) {
            return Ok(Arc::ptr_eq(home, its_home) && badge == its_badge);
        }
        let (one, two) = (self.reach_now()?, other.reach_now()?);
        if Arc::ptr_eq(one.channel(), two.channel()) {
            // An object has one row on a channel.
            return Ok(one.row() == two.row());
        }
        Ok(self.object_name(&one, left())? == other.object_name(&two, left())?)
    }

    /// What the object's entrypoint calls it.
    fn object_name(&self, reached: &Reached<'_>, deadline: Deadline) -> Result<ObjectName, Error> {
        match self.own_badge() {
            Some((home, badge)) => Ok(home.name(badge)),
            None => fold::object_name(reached.channel(), reached.row(), deadline),
        }
    }

    #[inline]
    fn default_deadline(&self) -> Deadline {
        match &self.0 {
            Reference::Own { home, .. } | Reference::OwnContext { home, .. } => home.pd().default_deadline(),
            Reference::Row(reference) => reference.channel.default_deadline(),
            Reference::Portal(portal) => portal.pd().default_deadline(),
            // Nobody will be waited for.
            Reference::Dataspace(_) => Deadline::Never,
        }
    }

    /// What it is: a portal may have come home.
    fn reference(&self) -> &Reference {
        match &self.0 {
            Reference::Portal(portal) => match portal.settled() {
                Some(Settled::Own(own)) => &own.0,
                _ => &self.0,
            },
            reference => reference,
        }
    }

    /// The portal that it is, if that is not settled.
    pub(crate) fn unsettled(&self) -> Option<&Portal> {
        match &self.0 {
            Reference::Portal(portal) => Some(&**portal).filter(|portal| portal.settled().is_none()),
            _ => None,
        }
    }

    /// Whether it is a portal that is said to lead to that entrypoint, which has not taken it up.
    pub(crate) fn is_expected_at(&self, entrypoint: EntrypointId) -> bool {
        self.unsettled().is_some_and(|portal| portal.is_expected_at(entrypoint))
    }

    /// How the object is called now, without waiting for anybody. [`Error::Busy`] for a portal that was not taken up.
    pub(crate) fn reach_now(&self) -> Result<Reached<'_>, Error> {
        match &self.0 {
            Reference::Own { home, badge, .. } | Reference::OwnContext { home, badge, .. } => {
                Ok(Reached::Here(home.local_channel()?, badge.0))
            }
            Reference::Row(reference) => Ok(Reached::Row(Cow::Borrowed(reference))),
            Reference::Portal(portal) => portal.reach_now(),
            Reference::Dataspace(_) => Err(Error::InvalidCapability),
        }
    }
}

impl std::fmt::Debug for Capability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let way = match self.reference() {
            Reference::Own { .. } => "of this process",
            Reference::OwnContext { .. } => "a signal context of this process",
            Reference::Row(_) => "over a channel",
            Reference::Portal(_) => "behind a portal",
            Reference::Dataspace(_) => "a dataspace",
        };
        match self.entrypoint() {
            Some(entrypoint) => write!(f, "Capability({entrypoint:?}, {way})"),
            None => write!(f, "Capability({way})"),
        }
    }
}
