//! The side that takes packets, processes them, and acknowledges them.

use crate::bitmap::Bitmap;
use crate::control::Control;
use crate::error::{Error, Violation};
use crate::geometry::Geometry;
use crate::packet::{Loans, Received};
use crate::port::{Port, Role};
use crate::region::Region;
use crate::trust::Guarded;
use crate::wait::{ENTRY, For, ROOM};
use portcullis_ipc::{Deadline, Patience, WaitPolicy};
use portcullis_shm::{Attachment, ViewMut};
use std::marker::PhantomData;
use std::time::Instant;

/// The sink of a packet stream with control fields `D`.
///
/// What it does is shown to the source, and told by a signal where one is due, when it calls [`wakeup`](Self::wakeup):
/// once for as many packets and acknowledgements as it has at hand. [`Source`](crate::Source) has an example.
///
/// ```
/// use portcullis_packet_stream::{Error, Geometry, Sink};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(64, 64, 1 << 16)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<u32>())?;
/// let mut sink = Sink::<u32>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// assert!(sink.try_get()?.is_none());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Sink<D: Control, T = Guarded> {
    pub(crate) port: Port,
    /// The granules of packets that were got and not acknowledged yet.
    held: Bitmap,
    packets: usize,
    pub(crate) loans: Loans<(Region, D)>,
    /// What was dropped and found no room in the queue yet.
    overdue: Vec<(Region, D)>,
    trust: PhantomData<fn() -> T>,
}

/// A packet that could not be acknowledged, given back.
///
/// ```
/// # use portcullis_packet_stream::{Control, Error, Sink, Unacknowledged};
/// # fn later(sink: &mut Sink<()>, unacknowledged: Unacknowledged<()>) -> Result<(), Error> {
/// assert_eq!(unacknowledged.reason, Error::QueueFull);
/// // When the source has taken some, and has signalled that.
/// sink.try_acknowledge(unacknowledged.packet, ())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the packet was not acknowledged: {reason}")]
pub struct Unacknowledged<D: Control> {
    /// The packet, as it was.
    pub packet: Received<D>,
    /// Why it was not acknowledged.
    pub reason: Error,
}

impl<D: Control> From<Unacknowledged<D>> for Error {
    fn from(unacknowledged: Unacknowledged<D>) -> Error {
        unacknowledged.reason
    }
}

impl<D: Control> Sink<D> {
    /// The sink of the stream in this memory, which must not have had a sink before. The memory is new, or the source
    /// came first.
    ///
    /// # Errors
    /// [`Error::DataspaceTooSmall`], [`Error::Mismatch`], [`Error::Memory`].
    pub fn new(memory: Attachment, geometry: Geometry) -> Result<Sink<D>, Error> {
        Sink::with(memory, geometry)
    }

    /// The content of a packet, to be read and written by copies. A hostile source can change it at any time: what was
    /// checked is what is used, and so a copy.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    #[inline]
    pub fn content<'a>(&'a self, packet: &'a Received<D>) -> Result<ViewMut<'a>, Error> {
        if !self.loans.is_ours(&packet.0) {
            return Err(Error::WrongStream);
        }
        let place = self.port.buffer + packet.offset();
        Ok(self.port.shared.memory().view_mut(place, packet.size())?)
    }
}

impl<D: Control, T> Sink<D, T> {
    pub(crate) fn with(memory: Attachment, geometry: Geometry) -> Result<Sink<D, T>, Error> {
        Ok(Sink {
            port: Port::new::<D>(memory, geometry, Role::Sink)?,
            held: Bitmap::new(geometry.buffer() / geometry.granule()),
            packets: 0,
            loans: Loans::new(),
            overdue: Vec::new(),
            trust: PhantomData,
        })
    }

    /// How it waits where it blocks.
    #[must_use]
    pub fn with_wait_policy(mut self, policy: WaitPolicy) -> Self {
        self.port.patience = Patience::new(policy);
        self
    }

    /// Takes the next packet, if there is one: its descriptor is copied once and then checked. Does not block.
    ///
    /// # Errors
    /// [`Error::Closed`] or [`Error::Disconnected`] if no more will come, [`Error::Violation`], [`Error::Memory`].
    #[inline]
    pub fn try_get(&mut self) -> Result<Option<Received<D>>, Error> {
        self.port.check()?;
        self.sweep()?;
        let Some((alleged, control)) = self.port.take::<D>()? else { return Ok(None) };
        match self.enter(alleged.check(&self.port.geometry)) {
            Ok(region) => Ok(Some(Received(self.loans.lend((region, control))))),
            Err(violation) => Err(self.port.end(violation)),
        }
    }

    #[inline]
    fn enter(&mut self, region: Result<Region, Violation>) -> Result<Region, Violation> {
        let region = region?;
        let (first, count) = region.granules(&self.port.geometry);
        if !self.held.take(first, count) {
            return Err(Violation::RegionOverlaps);
        }
        self.packets += 1;
        Ok(region)
    }

    /// Takes the next packet, and waits for one if need be.
    ///
    /// # Errors
    /// As of [`try_get`](Self::try_get), and [`Error::DeadlineExceeded`].
    pub fn get(&mut self, deadline: Deadline) -> Result<Received<D>, Error> {
        if self.waits_for()? == ENTRY {
            self.port.wait(ENTRY, deadline)?;
            return self.try_get()?.ok_or(Error::DeadlineExceeded);
        }
        self.get_or_acknowledge(deadline)
    }

    /// Takes the next packet, and acknowledges meanwhile what was dropped: the source may wait for that.
    #[cold]
    fn get_or_acknowledge(&mut self, deadline: Deadline) -> Result<Received<D>, Error> {
        let end = deadline.instant();
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let what = self.waits_for()?;
            self.port.wait(what, left.map_or(Deadline::Never, Deadline::After))?;
            if let Some(received) = self.try_get()? {
                return Ok(received);
            }
        }
    }

    /// What a sink waits for that wants packets: room for acknowledgements, too, while some are overdue.
    #[inline]
    pub(crate) fn waits_for(&mut self) -> Result<For, Error> {
        self.sweep()?;
        Ok(if self.overdue.is_empty() { ENTRY } else { ENTRY | ROOM })
    }

    /// Acknowledges a packet, with an answer in its control fields: its region is the source's again. The source sees it after
    /// the next [`wakeup`](Self::wakeup). Does not block.
    ///
    /// # Errors
    /// [`Error::QueueFull`], [`Error::WrongStream`], [`Error::Violation`], [`Error::Memory`]; the packet is given back.
    #[inline]
    pub fn try_acknowledge(&mut self, packet: Received<D>, answer: D) -> Result<(), Unacknowledged<D>> {
        match self.port.ready_to_put() {
            Ok(1..) => self.acknowledge_ready(packet, answer),
            Ok(0) => Err(Unacknowledged { packet, reason: Error::QueueFull }),
            Err(reason) => Err(Unacknowledged { packet, reason }),
        }
    }

    #[inline]
    fn acknowledge_ready(&mut self, packet: Received<D>, answer: D) -> Result<(), Unacknowledged<D>> {
        if !self.loans.is_ours(&packet.0) {
            return Err(Unacknowledged { packet, reason: Error::WrongStream });
        }
        self.put(packet.region(), answer);
        self.loans.settle(packet.0);
        Ok(())
    }

    #[inline]
    fn put(&mut self, region: Region, answer: D) {
        self.port.put(region, &answer);
        let (first, count) = region.granules(&self.port.geometry);
        self.held.mark(first, count, false);
        self.packets -= 1;
    }

    /// Acknowledges a packet, and waits for room in the queue if need be.
    ///
    /// # Errors
    /// As of [`try_acknowledge`](Self::try_acknowledge), but [`Error::DeadlineExceeded`], [`Error::Closed`] or
    /// [`Error::Disconnected`] in place of [`Error::QueueFull`].
    pub fn acknowledge(
        &mut self,
        packet: Received<D>,
        answer: D,
        deadline: Deadline,
    ) -> Result<(), Unacknowledged<D>> {
        match self.port.wait(ROOM, deadline) {
            Ok(()) => self.acknowledge_ready(packet, answer),
            Err(reason) => Err(Unacknowledged { packet, reason }),
        }
    }

    /// Shows the source what was taken and acknowledged since the last time, and sends at most one notification, if a signal
    /// is due. Does not block.
    ///
    /// # Errors
    /// [`Error::Closed`] or [`Error::Disconnected`] if nobody will take what was acknowledged, [`Error::Violation`],
    /// [`Error::Memory`].
    #[inline]
    pub fn wakeup(&mut self) -> Result<(), Error> {
        self.sweep()?;
        self.port.wakeup()
    }

    /// How many packets can be got now: at most as many as the submit queue is long. Does not block.
    ///
    /// The source may make it more at any time. So a handler that takes packets until there is none may never come to an
    /// end; one that takes so many, and [submits its own signal](portcullis_ipc::Capability::submit) if there are more
    /// after [`wakeup`](Self::wakeup), leaves others their turns.
    ///
    /// # Errors
    /// As of [`try_get`](Self::try_get).
    pub fn pending(&mut self) -> Result<u64, Error> {
        self.port.pending()
    }

    /// How many packets can be acknowledged at once, as far as is known. The source may make it more at any time.
    ///
    /// # Errors
    /// [`Error::Violation`], [`Error::Memory`].
    pub fn room(&mut self) -> Result<u64, Error> {
        self.port.ready_to_put()
    }

    /// How many packets it has got and not acknowledged yet. Each has a granule of its own, which bounds them.
    #[must_use]
    pub fn held(&self) -> usize {
        self.packets
    }

    /// Acknowledges what was dropped, as far as there is room.
    #[inline]
    fn sweep(&mut self) -> Result<(), Error> {
        if self.loans.has_dropped() || !self.overdue.is_empty() { self.sweep_some() } else { Ok(()) }
    }

    #[cold]
    fn sweep_some(&mut self) -> Result<(), Error> {
        self.overdue.extend(self.loans.take_dropped());
        while !self.overdue.is_empty() && self.port.ready_to_put()? != 0 {
            if let Some((region, control)) = self.overdue.pop() {
                self.put(region, control);
            }
        }
        Ok(())
    }
}
