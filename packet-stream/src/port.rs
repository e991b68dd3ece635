//! What both sides of a stream have in common: each puts into one queue, takes from the other, and tells the other side.

use crate::control::Control;
use crate::entry;
use crate::error::{Error, Violation};
use crate::geometry::{FINGERPRINT, Geometry, Layout, fingerprint, words};
use crate::mapped::{Mapped, Words};
use crate::protocol::attention::{self, CLOSED, LOOKS_TO_PUT, LOOKS_TO_TAKE, SLEEPS, attend};
use crate::protocol::end::{Counts, End, Observer};
use crate::protocol::hang_up;
use crate::region::{AllegedRegion, Region};
use crate::signal::{Notify, Signal};
use crate::sync::{AtomicU32, Ordering};
use crate::sys;
use portcullis_ipc::{Patience, WaitPolicy};
use portcullis_shm::Attachment;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

/// Which side of the stream this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Source,
    Sink,
}

/// The memory, and whether the peer is gone; threads other than the port's may have it too.
#[derive(Debug)]
pub(crate) struct Shared {
    mapped: Mapped,
    pub(crate) hung_up: AtomicU32,
    /// Who is to be woken once that is said, besides whoever sleeps on the bell.
    task: Mutex<Option<Waker>>,
}

impl Shared {
    #[inline]
    pub(crate) fn words(&self) -> Words<'_> {
        self.mapped.words()
    }

    #[inline]
    pub(crate) fn memory(&self) -> &Attachment {
        self.mapped.memory()
    }

    /// Puts a task where the last one was. Either whoever says that the peer is gone finds it after that, or it finds that said: the
    /// one says it before this, the other looks after this, and the lock orders them.
    pub(crate) fn replace_task(&self, task: Option<Waker>) -> Option<Waker> {
        std::mem::replace(&mut *self.task.lock().unwrap_or_else(PoisonError::into_inner), task)
    }
}

/// One side of a stream, without an opinion on what the packets are.
pub(crate) struct Port {
    pub(crate) shared: Arc<Shared>,
    pub(crate) geometry: Geometry,
    pub(crate) buffer: usize,
    role: Role,
    put: End,
    take: End,
    /// What we have said that we attend to.
    attends_to: u32,
    handler: Option<Box<dyn Notify>>,
    /// Signals that nobody could be told of when they were due.
    undelivered: u32,
    /// So many signals of putting, and of taking.
    sent: [u64; 2],
    pub(crate) patience: Patience,
    ended: Option<Violation>,
}

/// Putting is on the other side's way to take, and the other way round.
const PUT: u32 = LOOKS_TO_TAKE;
const TAKE: u32 = LOOKS_TO_PUT;

impl Port {
    pub(crate) fn new<D: Control>(memory: Attachment, geometry: Geometry, role: Role) -> Result<Port, Error> {
        let layout = Layout::new::<D>(geometry);
        if memory.len() < layout.end {
            return Err(Error::DataspaceTooSmall { needed: layout.end, given: memory.len() });
        }
        let fingerprint = fingerprint::<D>(geometry);
        // Relaxed: it guards nothing, it only tells.
        let found = memory.atomic_u64(FINGERPRINT)?.compare_exchange(
            0,
            fingerprint,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if found.is_err_and(|found| found != fingerprint) {
            return Err(Error::Mismatch);
        }
        let Layout { source, sink, submit, acknowledge, buffer, .. } = layout;
        let (parties, queues, names) = match role {
            Role::Source => ([source, sink], [submit, acknowledge], ["submit", "acknowledgement"]),
            Role::Sink => ([sink, source], [acknowledge, submit], ["acknowledgement", "submit"]),
        };
        let mapped = Mapped::new(memory, parties, queues, words::<D>())?;
        Ok(Port {
            shared: Arc::new(Shared { mapped, hung_up: AtomicU32::new(0), task: Mutex::default() }),
            geometry,
            buffer,
            role,
            put: End::producer(queues[0].length, names[0]),
            take: End::consumer(queues[1].length, names[1]),
            attends_to: 0,
            handler: None,
            undelivered: 0,
            sent: [0; 2],
            patience: Patience::new(WaitPolicy::Adaptive),
            ended: None,
        })
    }

    /// Whether the stream goes on.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.ended.map_or(Ok(()), |violation| Err(violation.into()))
    }

    /// Ends the stream because of what the peer did.
    #[cold]
    pub(crate) fn end(&mut self, violation: Violation) -> Error {
        self.ended.get_or_insert(violation);
        self.close();
        violation.into()
    }

    /// Tells the other side that this one does nothing more.
    pub(crate) fn close(&mut self) {
        self.attend(CLOSED);
        self.deliver(PUT | TAKE);
    }

    /// Whether the other side does nothing more, as far as is known.
    pub(crate) fn gone(&self) -> Option<Error> {
        // Acquire: whoever sees the end also sees what was published before; pairs with the fence in `publish`.
        if self.shared.words().other.attention.load(Ordering::Acquire) & CLOSED != 0 {
            return Some(Error::Closed);
        }
        hang_up::is_said(&self.shared.hung_up).then_some(Error::Disconnected)
    }

    /// Whether the memory is still there.
    fn check_memory(&self) -> Result<(), Error> {
        if self.shared.memory().is_revoked() { Err(portcullis_shm::Error::Revoked.into()) } else { Ok(()) }
    }

    /// How many entries may be put now.
    #[inline]
    pub(crate) fn ready_to_put(&mut self) -> Result<u64, Error> {
        match self.put.known() {
            0 => self.look(PUT),
            known => Ok(known),
        }
    }

    /// How many entries may be taken now.
    #[inline]
    pub(crate) fn ready_to_take(&mut self) -> Result<u64, Error> {
        match self.take.known() {
            0 => self.look(TAKE),
            known => Ok(known),
        }
    }

    /// How many entries may be taken now: all that are there. An error if there are none, and none will come.
    pub(crate) fn pending(&mut self) -> Result<u64, Error> {
        self.check()?;
        self.check_memory()?;
        let (end, counts, other) = self.end_of(TAKE);
        match end.all_ready(counts, other) {
            Ok(0) => self.nothing_to_take().and_then(|()| self.ready_to_take()),
            Ok(ready) => Ok(ready),
            Err(violation) => Err(self.end(violation)),
        }
    }

    /// Puts an entry where [`ready_to_put`](Self::ready_to_put) found room; others see it after the next `wakeup`.
    #[inline]
    pub(crate) fn put<D: Control>(&mut self, region: Region, control: &D) {
        let place = self.put.step();
        entry::write(self.shared.words().put.entries, place, region, control);
    }

    /// Takes the next entry, if there is one.
    #[inline]
    pub(crate) fn take<D: Control>(&mut self) -> Result<Option<(AllegedRegion, D)>, Error> {
        if self.ready_to_take()? == 0 {
            return self.nothing_to_take().map(|()| None);
        }
        let place = self.take.step();
        let read = entry::read(self.shared.words().take.entries, place);
        read.map(Some).map_err(|violation| self.end(violation))
    }

    /// The other side may have put something and then ended, since we looked.
    #[cold]
    fn nothing_to_take(&mut self) -> Result<(), Error> {
        match self.gone() {
            Some(gone) if self.ready_to_take()? == 0 => Err(gone),
            _ => Ok(()),
        }
    }

    /// Shows what was put and taken, and sends the signal that is due, if one is.
    pub(crate) fn wakeup(&mut self) -> Result<(), Error> {
        self.check()?;
        self.check_memory()?;
        if self.put.is_ahead()
            && let Some(gone) = self.gone()
        {
            return Err(gone);
        }
        let mut due = 0;
        for way in [PUT, TAKE] {
            let (end, counts, other) = self.end_of(way);
            match end.publish(counts, other) {
                Ok(()) if end.take_edge(other) => due |= way,
                Ok(()) => {}
                Err(violation) => return Err(self.end(violation)),
            }
        }
        if due != 0 {
            self.tell(due);
        }
        Ok(())
    }

    /// Sends one notification for these ways.
    fn tell(&mut self, due: u32) {
        for (index, way) in [PUT, TAKE].into_iter().enumerate() {
            self.sent[index] += u64::from(due & way != 0);
        }
        self.deliver(due);
    }

    fn deliver(&mut self, due: u32) {
        // Relaxed: whoever goes to sleep after this load looks once more first.
        let other = self.shared.words().other;
        if other.attention.load(Ordering::Relaxed) & SLEEPS != 0 {
            attention::ring(other.bell);
            sys::wake(other.bell);
        } else if let Some(handler) = &self.handler {
            let [put, take] = [PUT, TAKE].map(|way| self.signal(way));
            match (due & PUT != 0, due & TAKE != 0) {
                (true, true) => handler.notify(&[put, take]),
                (true, false) => handler.notify(&[put]),
                _ => handler.notify(&[take]),
            }
        } else {
            self.undelivered |= due;
        }
    }

    /// From now on the other side's handler is told by this. At once, if there is something to tell already.
    pub(crate) fn set_handler(&mut self, handler: Box<dyn Notify>) {
        self.handler = Some(handler);
        let (end, counts, _) = self.end_of(PUT);
        let waiting = if end.is_all_taken(counts) { 0 } else { PUT };
        let due = std::mem::take(&mut self.undelivered) | waiting;
        if due != 0 {
            self.tell(due);
        }
    }

    /// How often a signal was sent from here.
    pub(crate) fn sent(&self, signal: Signal) -> u64 {
        match [PUT, TAKE].map(|way| self.signal(way) == signal) {
            [true, _] => self.sent[0],
            [_, true] => self.sent[1],
            _ => 0,
        }
    }

    /// The signal of an edge of ours.
    fn signal(&self, way: u32) -> Signal {
        match (self.role, way) {
            (Role::Source, PUT) => Signal::PacketAvail,
            (Role::Source, _) => Signal::ReadyToAck,
            (Role::Sink, PUT) => Signal::AckAvail,
            (Role::Sink, _) => Signal::ReadyToSubmit,
        }
    }

    /// Says which signals we do not need, or that we sleep or have ended.
    pub(crate) fn attend(&mut self, to: u32) {
        // An end is for ever.
        let to = to | self.attends_to & CLOSED;
        if self.attends_to != to {
            self.attends_to = to;
            attend(self.shared.words().own.attention, to, self.patience.own_core());
        }
    }

    /// Whether there is something to do that was not known of: an entry to take, or room where there was none.
    pub(crate) fn has_moved(&mut self) -> Result<bool, Error> {
        let full = self.put.known() == 0;
        Ok(self.ready_to_take()? != 0 || full && self.ready_to_put()? != 0)
    }

    /// Takes back what a call that blocks, or `watch`, has left: that this side looks by itself. Whoever is answered that it did not
    /// rely on signals looks once more.
    #[cfg(feature = "tokio")]
    pub(crate) fn relies_on_signals(&mut self) -> Result<bool, Error> {
        if self.attends_to == 0 {
            return Ok(true);
        }
        self.attend(0);
        Ok(!self.has_moved()?)
    }

    #[inline(never)]
    fn look(&mut self, way: u32) -> Result<u64, Error> {
        self.check()?;
        self.check_memory()?;
        let (end, counts, other) = self.end_of(way);
        end.ready(counts, other).map_err(|violation| self.end(violation))
    }

    /// Our end of one of the queues.
    #[inline]
    fn end_of(&mut self, way: u32) -> (&mut End, Counts<'_>, Observer<'_>) {
        let Words { other, put, take, .. } = self.shared.words();
        let (end, counts) = match way {
            PUT => (&mut self.put, Counts { own: put.put, other: put.taken }),
            _ => (&mut self.take, Counts { own: take.taken, other: take.put }),
        };
        (end, counts, Observer { attention: other.attention, looks: way })
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // What was staged is shown, so that an orderly end loses nothing.
        let _ = self.wakeup();
        self.close();
        // Nobody waits any more, and whoever watches the peer may keep `shared` for long.
        self.shared.replace_task(None);
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port")
            .field("role", &self.role)
            .field("put", &self.put)
            .field("take", &self.take)
            .finish()
    }
}
