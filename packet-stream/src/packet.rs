//! Regions on loan: whoever drops one gives it back.

use crate::region::Region;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where loans belong, and what came back by being dropped.
#[derive(Debug)]
pub(crate) struct Home<T> {
    /// Whether something came back.
    any: AtomicBool,
    dropped: Mutex<Vec<T>>,
}

/// What a handle stands for. It is boxed, and boxes are used again, so that handles are one word that moves quickly.
#[derive(Debug)]
pub(crate) struct Loan<T: Copy> {
    home: Arc<Home<T>>,
    is_lent: bool,
    pub(crate) what: T,
}

impl<T: Copy> Drop for Loan<T> {
    fn drop(&mut self) {
        if self.is_lent {
            self.home.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(self.what);
            // Relaxed: it only says where to look; the lock orders the content.
            self.home.any.store(true, Ordering::Relaxed);
        }
    }
}

/// The lender: knows its loans from others.
#[derive(Debug)]
pub(crate) struct Loans<T: Copy> {
    home: Arc<Home<T>>,
    idle: Vec<Box<Loan<T>>>,
}

impl<T: Copy> Loans<T> {
    pub(crate) fn new() -> Loans<T> {
        let home = Home { any: AtomicBool::new(false), dropped: Mutex::new(Vec::new()) };
        Loans { home: Arc::new(home), idle: Vec::new() }
    }

    #[inline]
    pub(crate) fn lend(&mut self, what: T) -> Box<Loan<T>> {
        let Some(mut loan) = self.idle.pop() else {
            return Box::new(Loan { home: self.home.clone(), is_lent: true, what });
        };
        loan.is_lent = true;
        loan.what = what;
        loan
    }

    /// Takes back one of ours, whose content is somebody else's business from now on.
    #[inline]
    pub(crate) fn settle(&mut self, mut loan: Box<Loan<T>>) {
        loan.is_lent = false;
        self.idle.push(loan);
    }

    #[inline]
    pub(crate) fn is_ours(&self, loan: &Loan<T>) -> bool {
        Arc::ptr_eq(&loan.home, &self.home)
    }

    /// Whether something came back by being dropped.
    #[inline]
    pub(crate) fn has_dropped(&self) -> bool {
        self.home.any.load(Ordering::Relaxed)
    }

    /// What came back by being dropped.
    #[cold]
    pub(crate) fn take_dropped(&self) -> Vec<T> {
        let mut dropped = self.home.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        self.home.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut dropped)
    }
}

/// A region that the source has assigned, and how much of it is content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assigned {
    pub(crate) region: Region,
    pub(crate) size: usize,
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
pub struct Packet(pub(crate) Box<Loan<Assigned>>);

impl Packet {
    /// The size of its content, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.what.size
    }

    /// Where its content begins, in bytes from the start of the buffer.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.0.what.region.offset()
    }

    /// Makes it shorter: what is submitted are its first bytes. Without effect if it is as short already.
    pub fn truncate(&mut self, size: usize) {
        let Assigned { size: now, .. } = &mut self.0.what;
        *now = size.min(*now);
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
pub struct Received<D: Copy>(pub(crate) Box<Loan<(Region, D)>>);

impl<D: Copy> Received<D> {
    /// The size of its content, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.region().size()
    }

    /// Where its content begins, in bytes from the start of the buffer.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.region().offset()
    }

    /// Its control fields, as the source alleges them: a private copy.
    #[must_use]
    pub fn control(&self) -> D {
        self.0.what.1
    }

    pub(crate) fn region(&self) -> Region {
        self.0.what.0
    }
}
