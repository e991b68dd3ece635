//! The side that assigns regions of the buffer, fills them, submits them and gets them back.

use crate::bitmap::Bitmap;
use crate::control::Control;
use crate::error::{Error, Violation};
use crate::geometry::Geometry;
use crate::packet::{Assigned, Loans, Packet};
use crate::port::{Port, Role};
use crate::region::Region;
use crate::submitted::Submitted;
use crate::trust::Guarded;
use crate::wait::{ENTRY, ROOM};
use portcullis_ipc::{Deadline, Patience, WaitPolicy};
use portcullis_shm::{Attachment, ViewMut};
use std::marker::PhantomData;

/// The source of a packet stream with control fields `D`.
///
/// What it does is shown to the sink, and told by a signal where one is due, when it calls [`wakeup`](Self::wakeup):
/// once for as many packets and acknowledgements as it has at hand.
///
/// ```
/// use portcullis_packet_stream::{Geometry, Sink, Source};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(64, 64, 1 << 16)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<u32>())?;
/// let mut source = Source::<u32>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let mut sink = Sink::<u32>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
///
/// let packet = source.alloc(5)?;
/// source.content(&packet)?.copy_from(b"hello")?;
/// source.try_submit(packet, 7)?;
/// source.wakeup()?;
///
/// let received = sink.try_get()?.expect("a packet was submitted");
/// assert_eq!(sink.content(&received)?.view().to_vec()?, b"hello");
/// sink.try_acknowledge(received, 8)?;
/// sink.wakeup()?;
///
/// let acknowledged = source.try_acknowledged()?.expect("it was acknowledged");
/// assert_eq!((acknowledged.submitted, acknowledged.answered), (7, 8));
/// source.release(acknowledged.packet);
/// # Ok::<(), portcullis_packet_stream::Error>(())
/// ```
#[derive(Debug)]
pub struct Source<D: Control, T = Guarded> {
    pub(crate) port: Port,
    granules: Bitmap,
    /// Where the last search ended, in granules.
    hint: usize,
    submitted: Submitted<D>,
    pub(crate) loans: Loans<Assigned>,
    trust: PhantomData<fn() -> T>,
}

/// A packet that came back: its region is the source's again.
///
/// ```
/// # use portcullis_packet_stream::Acknowledged;
/// fn has_succeeded(acknowledged: &Acknowledged<u32>) -> bool {
///     // What it was asked for is our own record; what it answers is the sink's claim.
///     acknowledged.submitted != 0 && acknowledged.answered == 0
/// }
/// ```
#[derive(Debug)]
pub struct Acknowledged<D> {
    /// The packet, with what the sink left in it.
    pub packet: Packet,
    /// The control fields as they were submitted, from the source's own records.
    pub submitted: D,
    /// The control fields as the sink alleges them.
    pub answered: D,
}

/// A packet that could not be submitted, given back.
///
/// ```
/// use portcullis_packet_stream::{Error, Geometry, Source};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(1, 1, 4096)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<()>())?;
/// let mut source = Source::<()>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let (first, second) = (source.alloc(1)?, source.alloc(1)?);
/// source.try_submit(first, ())?;
/// let unsubmitted = source.try_submit(second, ()).unwrap_err();
/// assert_eq!(unsubmitted.reason, Error::QueueFull);
/// source.release(unsubmitted.packet);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the packet was not submitted: {reason}")]
pub struct Unsubmitted {
    /// The packet, as it was.
    pub packet: Packet,
    /// Why it was not submitted.
    pub reason: Error,
}

impl From<Unsubmitted> for Error {
    fn from(unsubmitted: Unsubmitted) -> Error {
        unsubmitted.reason
    }
}

impl<D: Control> Source<D> {
    /// The source of the stream in this memory, which must not have had a source before. The memory is new, or the sink
    /// came first.
    ///
    /// # Errors
    /// [`Error::DataspaceTooSmall`], [`Error::Mismatch`], [`Error::Memory`].
    pub fn new(memory: Attachment, geometry: Geometry) -> Result<Source<D>, Error> {
        Source::with(memory, geometry)
    }

    /// The content of a packet, to be written and read by copies. As long as it is not submitted nobody else should access
    /// it; a hostile sink can all the same.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    #[inline]
    pub fn content<'a>(&'a self, packet: &'a Packet) -> Result<ViewMut<'a>, Error> {
        if !self.loans.is_ours(&packet.0) {
            return Err(Error::WrongStream);
        }
        Ok(self.port.shared.memory().view_mut(self.port.buffer + packet.offset(), packet.size())?)
    }
}

impl<D: Control, T> Source<D, T> {
    pub(crate) fn with(memory: Attachment, geometry: Geometry) -> Result<Source<D, T>, Error> {
        let granules = geometry.buffer() / geometry.granule();
        Ok(Source {
            port: Port::new::<D>(memory, geometry, Role::Source)?,
            granules: Bitmap::new(granules),
            hint: 0,
            submitted: Submitted::new(granules),
            loans: Loans::new(),
            trust: PhantomData,
        })
    }

    /// How it waits where it blocks.
    #[must_use]
    pub fn with_wait_policy(mut self, policy: WaitPolicy) -> Self {
        self.port.patience = Patience::new(policy);
        self
    }

    /// A region for a packet of so many bytes. Its content is whatever was there before.
    ///
    /// # Errors
    /// [`Error::BufferFull`] if there is no such room now, [`Error::PacketTooLarge`] if there never is.
    #[inline]
    pub fn alloc(&mut self, size: usize) -> Result<Packet, Error> {
        self.alloc_aligned(size, 1)
    }

    /// The same with an offset in the buffer that is a multiple of `align`, a power of two. The buffer starts on a page.
    ///
    /// # Errors
    /// As of [`alloc`](Self::alloc).
    #[inline]
    pub fn alloc_aligned(&mut self, size: usize, align: usize) -> Result<Packet, Error> {
        let geometry = self.port.geometry;
        if size > geometry.buffer() || !align.is_power_of_two() {
            return Err(Error::PacketTooLarge { size, align });
        }
        self.sweep();
        let (_, count) = Region::of_granule(0, size, &geometry).granules(&geometry);
        let align = (align / geometry.granule()).max(1);
        let first = self.granules.find(count, align, self.hint).ok_or(Error::BufferFull)?;
        self.granules.mark(first, count, true);
        self.hint = first + count;
        let region = Region::of_granule(first, size, &geometry);
        Ok(Packet(self.loans.lend(Assigned { region, size })))
    }

    /// Makes a packet's region free again, which was not submitted or has come back.
    #[inline]
    pub fn release(&mut self, packet: Packet) {
        // One of another stream goes home by being dropped.
        if self.loans.is_ours(&packet.0) {
            self.free(packet.0.what.region);
            self.loans.settle(packet.0);
        }
    }

    /// Submits a packet: from now on its region is the sink's, until it is acknowledged. The sink sees it after the next
    /// [`wakeup`](Self::wakeup). Does not block.
    ///
    /// # Errors
    /// [`Error::QueueFull`], [`Error::WrongStream`], [`Error::Violation`], [`Error::Memory`]; the packet is given back.
    #[inline]
    pub fn try_submit(&mut self, packet: Packet, control: D) -> Result<(), Unsubmitted> {
        match self.port.ready_to_put() {
            Ok(1..) => self.submit_ready(packet, control),
            Ok(0) => Err(Unsubmitted { packet, reason: Error::QueueFull }),
            Err(reason) => Err(Unsubmitted { packet, reason }),
        }
    }

    #[inline]
    fn submit_ready(&mut self, packet: Packet, control: D) -> Result<(), Unsubmitted> {
        if !self.loans.is_ours(&packet.0) {
            return Err(Unsubmitted { packet, reason: Error::WrongStream });
        }
        let Assigned { region: assigned, size } = packet.0.what;
        let region = assigned.shortened(size);
        self.port.put(region, &control);
        let geometry = self.port.geometry;
        let (first, count) = region.granules(&geometry);
        if size != assigned.size() {
            // What a shortened packet does not need.
            let (_, allocated) = assigned.granules(&geometry);
            self.granules.mark(first + count, allocated - count, false);
        }
        self.submitted.enter(first, region, control);
        self.loans.settle(packet.0);
        Ok(())
    }

    /// Submits a packet, and waits for room in the queue if need be.
    ///
    /// # Errors
    /// As of [`try_submit`](Self::try_submit), but [`Error::DeadlineExceeded`], [`Error::Closed`] or
    /// [`Error::Disconnected`] in place of [`Error::QueueFull`].
    pub fn submit(&mut self, packet: Packet, control: D, deadline: Deadline) -> Result<(), Unsubmitted> {
        match self.port.wait(ROOM, deadline) {
            Ok(()) => self.submit_ready(packet, control),
            Err(reason) => Err(Unsubmitted { packet, reason }),
        }
    }

    /// Takes an acknowledgement, if there is one. Does not block.
    ///
    /// # Errors
    /// [`Error::Closed`] or [`Error::Disconnected`] if no more will come, [`Error::Violation`], [`Error::Memory`].
    #[inline]
    pub fn try_acknowledged(&mut self) -> Result<Option<Acknowledged<D>>, Error> {
        self.port.check()?;
        let Some((alleged, answered)) = self.port.take::<D>()? else { return Ok(None) };
        // Compared with our own records, and used no further.
        let Some((region, submitted)) = self.submitted.settle(alleged, &self.port.geometry) else {
            return Err(self.port.end(Violation::NotSubmitted));
        };
        let packet = Packet(self.loans.lend(Assigned { region, size: region.size() }));
        Ok(Some(Acknowledged { packet, submitted, answered }))
    }

    /// Takes an acknowledgement, and waits for one if need be.
    ///
    /// # Errors
    /// As of [`try_acknowledged`](Self::try_acknowledged), and [`Error::DeadlineExceeded`].
    pub fn acknowledged(&mut self, deadline: Deadline) -> Result<Acknowledged<D>, Error> {
        self.port.wait(ENTRY, deadline)?;
        self.try_acknowledged()?.ok_or(Error::DeadlineExceeded)
    }

    /// Shows the sink what was submitted and taken since the last time, and sends at most one notification, if a signal is
    /// due. Does not block.
    ///
    /// # Errors
    /// [`Error::Closed`] or [`Error::Disconnected`] if nobody will take what was submitted, [`Error::Violation`],
    /// [`Error::Memory`].
    #[inline]
    pub fn wakeup(&mut self) -> Result<(), Error> {
        self.port.wakeup()
    }

    /// How many packets can be submitted at once, as far as is known. The sink may make it more at any time.
    ///
    /// # Errors
    /// [`Error::Violation`], [`Error::Memory`].
    pub fn room(&mut self) -> Result<u64, Error> {
        self.port.ready_to_put()
    }

    /// The free part of the buffer, in bytes. It need not be in one piece.
    #[must_use]
    pub fn free_bytes(&mut self) -> usize {
        self.sweep();
        self.granules.count_free() * self.port.geometry.granule()
    }

    /// How many packets the sink has and did not acknowledge.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.submitted.len()
    }

    /// Frees what came back through dropped handles.
    #[inline]
    fn sweep(&mut self) {
        if self.loans.has_dropped() {
            self.loans.take_dropped().into_iter().for_each(|assigned| self.free(assigned.region));
        }
    }

    #[inline]
    fn free(&mut self, region: Region) {
        let (first, count) = region.granules(&self.port.geometry);
        self.granules.mark(first, count, false);
    }
}
