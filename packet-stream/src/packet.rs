//! Regions on loan: whoever drops one gives it back.

use crate::region::Region;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a handle's region belongs, and what came back through dropped handles.
///
/// Handles hold an `Arc` of it, which a stream lends and takes back without touching the count: dropping is the rare case.
#[derive(Debug)]
pub(crate) struct Home<T> {
    /// Whether something came back.
    any: AtomicBool,
    dropped: Mutex<Vec<T>>,
}

impl<T> Home<T> {
    fn give_back(&self, what: T) {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        // Release: pairs with the acquire in `take_dropped`. The lock orders the content.
        self.any.store(true, Ordering::Release);
    }

    /// What was dropped since this was last asked.
    #[inline]
    pub(crate) fn take_dropped(&self) -> Option<Vec<T>> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        self.any.swap(false, Ordering::Acquire);
        Some(std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The handles' references to their home that are not lent at the moment.
#[derive(Debug)]
pub(crate) struct Loans<T> {
    home: Arc<Home<T>>,
    idle: Vec<Arc<Home<T>>>,
}

impl<T> Loans<T> {
    pub(crate) fn new() -> Loans<T> {
        let home = Home { any: AtomicBool::new(false), dropped: Mutex::new(Vec::new()) };
        Loans { home: Arc::new(home), idle: Vec::new() }
    }

    pub(crate) fn home(&self) -> &Home<T> {
        &self.home
    }

    /// A reference for a handle.
    #[inline]
    pub(crate) fn lend(&mut self) -> Arc<Home<T>> {
        self.idle.pop().unwrap_or_else(|| self.home.clone())
    }

    /// Takes a handle's reference, whose region is somebody else's business from now on.
    #[inline]
    pub(crate) fn settle(&mut self, home: Option<Arc<Home<T>>>) {
        self.idle.extend(home);
    }

    #[inline]
    pub(crate) fn is_ours(&self, home: Option<&Arc<Home<T>>>) -> bool {
        home.is_some_and(|home| Arc::ptr_eq(home, &self.home))
    }
}

/// A region of the buffer that belongs to the source: to be filled and submitted, or acknowledged and to be read.
///
/// Dropping it makes the region free again, as [`Source::release`](crate::Source::release) does faster.
///
/// ```
/// use portcullis_packet_stream::{Error, Geometry, Source};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(4, 4, 4096)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<()>())?;
/// let mut source = Source::<()>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let packet = source.alloc(4096)?;
/// assert_eq!(packet.size(), 4096);
/// assert_eq!(source.alloc(1).unwrap_err(), Error::BufferFull);
/// drop(packet);
/// assert!(source.alloc(1).is_ok());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it makes its region free again"]
pub struct Packet {
    pub(crate) region: Region,
    /// What of the region is the content.
    pub(crate) size: usize,
    pub(crate) home: Option<Arc<Home<Region>>>,
}

impl Packet {
    /// The size of its content, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where its content begins, in bytes from the start of the buffer.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.region.offset()
    }

    /// Makes it shorter: what is submitted are its first bytes. Without effect if it is as short already.
    pub fn truncate(&mut self, size: usize) {
        self.size = self.size.min(size);
    }
}

impl Drop for Packet {
    #[inline]
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.give_back(self.region);
        }
    }
}

/// A packet that the sink has got and not acknowledged yet. Its region is the sink's until then.
///
/// Dropping it acknowledges it, with its control fields as they came, when the sink next takes a packet or calls
/// `wakeup`.
///
/// ```
/// use portcullis_packet_stream::{Geometry, Sink, Source};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(4, 4, 4096)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<u32>())?;
/// let mut source = Source::<u32>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let mut sink = Sink::<u32>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let packet = source.alloc(100)?;
/// source.try_submit(packet, 7)?;
/// source.wakeup()?;
/// let received = sink.try_get()?.expect("there is one");
/// assert_eq!((received.size(), received.control()), (100, 7));
/// # Ok::<(), portcullis_packet_stream::Error>(())
/// ```
#[derive(Debug)]
pub struct Received<D: Copy> {
    pub(crate) region: Region,
    pub(crate) control: D,
    pub(crate) home: Option<Arc<Home<(Region, D)>>>,
}

impl<D: Copy> Received<D> {
    /// The size of its content, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.region.size()
    }

    /// Where its content begins, in bytes from the start of the buffer.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.region.offset()
    }

    /// Its control fields, as the source alleges them: a private copy.
    #[must_use]
    pub fn control(&self) -> D {
        self.control
    }
}

impl<D: Copy> Drop for Received<D> {
    #[inline]
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.give_back((self.region, self.control));
        }
    }
}
