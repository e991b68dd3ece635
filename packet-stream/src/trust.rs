//! Plain slices, for a pair that trust each other.
#![allow(unsafe_code)]

use crate::control::Control;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::packet::{Packet, Received};
use crate::sink::Sink;
use crate::source::Source;
use portcullis_shm::Attachment;

/// The peer may be hostile: content is reached by copies. What sources and sinks are unless somebody promises more.
///
/// ```
/// use portcullis_packet_stream::{Guarded, Source};
///
/// fn is_the_same(source: Source<()>) -> Source<(), Guarded> {
///     source
/// }
/// ```
#[derive(Debug)]
pub enum Guarded {}

/// The peer keeps to the protocol, as somebody has promised: content is lent as plain slices.
///
/// ```
/// use portcullis_packet_stream::{Geometry, Sink, Source, Trusting};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(4, 4, 4096)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<()>())?;
/// let (ours, theirs) = (dataspace.attach(Window::WHOLE)?, dataspace.attach(Window::WHOLE)?);
/// // SAFETY: both sides are right here, and nobody else has the dataspace.
/// let mut source = unsafe { Source::<(), Trusting>::trusting(ours, geometry)? };
/// // SAFETY: as above.
/// let mut sink = unsafe { Sink::<(), Trusting>::trusting(theirs, geometry)? };
/// let mut packet = source.alloc(5)?;
/// source.slice_mut(&mut packet)?.copy_from_slice(b"hello");
/// source.try_submit(packet, ())?;
/// source.wakeup()?;
/// let received = sink.try_get()?.expect("there is one");
/// assert_eq!(sink.slice(&received)?, b"hello");
/// # Ok::<(), portcullis_packet_stream::Error>(())
/// ```
#[derive(Debug)]
pub enum Trusting {}

impl<D: Control> Source<D, Trusting> {
    /// As [`Source::new`], for a sink that is trusted.
    ///
    /// # Errors
    /// As of [`Source::new`].
    ///
    /// # Safety
    /// While this source exists:
    /// - the only others who can access the memory are sides of this stream, made with the same geometry and control fields,
    ///   whose code accesses a packet's content only between its submission and its acknowledgement, and writes no word of the
    ///   queues but as this crate does;
    /// - nobody frees the dataspace or takes pages out of it.
    pub unsafe fn trusting(memory: Attachment, geometry: Geometry) -> Result<Self, Error> {
        Source::with(memory, geometry)
    }

    /// The content of a packet.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    #[inline]
    pub fn slice<'a>(&'a self, packet: &'a Packet) -> Result<&'a [u8], Error> {
        if !self.loans.is_ours(&packet.0) {
            return Err(Error::WrongStream);
        }
        let place = self.port.buffer + packet.offset();
        // SAFETY: nobody writes these bytes while the slice lives:
        // - in this process: the region is this handle's alone, since the allocator assigned it once; its content is
        //   written through `&mut` to the handle, or through a view that `content` lends for a handle that is not submitted,
        //   which is a copy byte by byte;
        // - the sink: the packet is not submitted or was acknowledged, and `trusting`'s caller promised the rest.
        Ok(unsafe { self.port.shared.memory().slice(place, packet.size()) }?)
    }

    /// The content of a packet, to be written.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    #[inline]
    pub fn slice_mut<'a>(&'a self, packet: &'a mut Packet) -> Result<&'a mut [u8], Error> {
        if !self.loans.is_ours(&packet.0) {
            return Err(Error::WrongStream);
        }
        let place = self.port.buffer + packet.offset();
        // SAFETY: nobody reads or writes these bytes while the slice lives: the handle, to which the region belongs alone, is
        // borrowed exclusively, and `trusting`'s caller promised the rest (see `slice`).
        Ok(unsafe { self.port.shared.memory().slice_mut(place, packet.size()) }?)
    }
}

impl<D: Control> Sink<D, Trusting> {
    /// As [`Sink::new`], for a source that is trusted.
    ///
    /// # Errors
    /// As of [`Sink::new`].
    ///
    /// # Safety
    /// As of [`Source::trusting`].
    pub unsafe fn trusting(memory: Attachment, geometry: Geometry) -> Result<Self, Error> {
        Sink::with(memory, geometry)
    }

    /// The content of a packet.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    #[inline]
    pub fn slice<'a>(&'a self, packet: &'a Received<D>) -> Result<&'a [u8], Error> {
        if !self.loans.is_ours(&packet.0) {
            return Err(Error::WrongStream);
        }
        let place = self.port.buffer + packet.offset();
        // SAFETY: nobody writes these bytes while the slice lives:
        // - in this process: the region is this handle's alone (`held` refuses packets that overlap), and written through
        //   `&mut` to the handle, or by a view's copies;
        // - the source: the packet is not acknowledged, and `trusting`'s caller promised the rest.
        Ok(unsafe { self.port.shared.memory().slice(place, packet.size()) }?)
    }

    /// The content of a packet, to be written.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    #[inline]
    pub fn slice_mut<'a>(&'a self, packet: &'a mut Received<D>) -> Result<&'a mut [u8], Error> {
        if !self.loans.is_ours(&packet.0) {
            return Err(Error::WrongStream);
        }
        let place = self.port.buffer + packet.offset();
        // SAFETY: nobody reads or writes these bytes while the slice lives: the handle, to which the region belongs alone, is
        // borrowed exclusively, and `trusting`'s caller promised the rest (see `slice`).
        Ok(unsafe { self.port.shared.memory().slice_mut(place, packet.size()) }?)
    }
}
