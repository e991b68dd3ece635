//! Two streams of data between two parties, one each way: what a network card does.

use crate::control::Control;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::sink::Sink;
use crate::source::Source;
use crate::wait::{ENTRY, wait_for_any};
use portcullis_ipc::Deadline;
use portcullis_shm::{Attachment, Window};

/// One end of two streams: the source of what it sends, with control fields `S`, and the sink of what it receives, with
/// control fields `R`. Either end may start.
///
/// ```
/// use portcullis_ipc::Deadline;
/// use portcullis_packet_stream::{Duplex, Geometry};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota};
///
/// let geometry = Geometry::new(8, 8, 1 << 14)?;
/// let both = [geometry, geometry];
/// let [out, back] = Duplex::<(), ()>::windows(both);
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(Duplex::<(), ()>::bytes(both))?;
/// let attach = || -> Result<_, portcullis_shm::Error> { Ok([dataspace.attach(out)?, dataspace.attach(back)?]) };
/// let mut one = Duplex::<(), ()>::first(attach()?, both)?;
/// let mut other = Duplex::<(), ()>::second(attach()?, both)?;
/// let packet = other.source.alloc(64)?;
/// other.source.try_submit(packet, ())?;
/// other.wakeup()?;
/// one.wait(Deadline::Never)?;
/// assert_eq!(one.sink.try_get()?.expect("one has arrived").size(), 64);
/// # Ok::<(), portcullis_packet_stream::Error>(())
/// ```
#[derive(Debug)]
pub struct Duplex<S: Control, R: Control> {
    /// Of what this end sends.
    pub source: Source<S>,
    /// Of what this end receives.
    pub sink: Sink<R>,
}

impl<S: Control, R: Control> Duplex<S, R> {
    /// Where the two streams lie if one dataspace holds both: the first, from the first end to the second, and the one back.
    #[must_use]
    pub fn windows([first, second]: [Geometry; 2]) -> [Window; 2] {
        let start = first.bytes::<S>().next_multiple_of(Geometry::PAGE);
        [Window::new(0, first.bytes::<S>()), Window::new(start, second.bytes::<R>())]
    }

    /// The size of a dataspace for both, in bytes.
    #[must_use]
    pub fn bytes([first, second]: [Geometry; 2]) -> usize {
        first.bytes::<S>().next_multiple_of(Geometry::PAGE) + second.bytes::<R>()
    }

    /// The end that is the source of the first stream and the sink of the second.
    ///
    /// # Errors
    /// As of [`Source::new`].
    pub fn first([out, back]: [Attachment; 2], [first, second]: [Geometry; 2]) -> Result<Self, Error> {
        Ok(Duplex { source: Source::new(out, first)?, sink: Sink::new(back, second)? })
    }

    /// The other end: `S` and `R` are its own, so those of the first end the other way round.
    ///
    /// # Errors
    /// As of [`Source::new`].
    pub fn second([out, back]: [Attachment; 2], [first, second]: [Geometry; 2]) -> Result<Self, Error> {
        Ok(Duplex { source: Source::new(back, second)?, sink: Sink::new(out, first)? })
    }

    /// As [`Source::wakeup`] and [`Sink::wakeup`].
    ///
    /// # Errors
    /// As of those.
    pub fn wakeup(&mut self) -> Result<(), Error> {
        self.source.wakeup()?;
        self.sink.wakeup()
    }

    /// Waits until there is a packet or an acknowledgement to take, or there is room for the acknowledgement of a packet that was
    /// dropped. Shows and tells first what was done so far.
    ///
    /// # Errors
    /// [`Error::DeadlineExceeded`]; [`Error::Closed`] or [`Error::Disconnected`] if one stream has ended and nothing is left to
    /// take; [`Error::Violation`], [`Error::Memory`].
    pub fn wait(&mut self, deadline: Deadline) -> Result<(), Error> {
        let of_sink = self.sink.waits_for()?;
        wait_for_any([(&mut self.sink.port, of_sink), (&mut self.source.port, ENTRY)], deadline)
    }
}
