//! Many attachments in one range of addresses.

use crate::attachment::Attachment;
use crate::error::Error;
use crate::source::Source;
use crate::sys::addresses::Addresses;
use crate::sys::file;
use crate::window::{Window, check};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A range of addresses in which dataspaces are attached, at chosen places or at any that are free. Clones are the same map.
///
/// Places are counted in bytes from the start of the range, and begin on a page. Where nothing is attached, an access is an error
/// that says where: attach something there and try again.
///
/// ```
/// use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota, RegionMap, Window};
///
/// let allocator = RamAllocator::new(&RamAccount::new(RamQuota::mib(1)));
/// let (low, high) = (allocator.alloc(4096)?, allocator.alloc(4096)?);
/// let map = RegionMap::reserve(1 << 20)?;
/// map.attach_at(8192, &low, Window::WHOLE)?;
/// assert_eq!(map.copy_from(12_286, b"across"), Err(Error::Unattached { place: 12_288 }));
/// map.attach_at(12_288, &high, Window::WHOLE)?;
/// map.copy_from(12_286, b"across")?;
/// assert_eq!(high.attach(Window::WHOLE)?.read::<[u8; 4]>(0)?, *b"ross");
/// map.detach(8192)?;
/// assert_eq!(map.copy_to(12_287, &mut [0; 2]), Err(Error::Unattached { place: 12_287 }));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RegionMap(Arc<Map>);

#[derive(Debug)]
struct Map {
    addresses: Arc<Addresses>,
    /// By the place where they begin.
    regions: Mutex<BTreeMap<usize, Content>>,
}

#[derive(Clone, Debug)]
enum Content {
    Attached(Attachment),
    Nested(RegionMap),
}

/// A part of a region map at which something is attached.
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Region, RegionMap, Window};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(5000)?;
/// let map = RegionMap::reserve(1 << 20)?;
/// let place = map.attach_read_only(&dataspace, Window::WHOLE)?;
/// assert_eq!(map.regions(), [Region { place, len: 5000, writable: false }]);
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where it begins, in bytes from the start of the map.
    pub place: usize,
    /// How long it is, in bytes.
    pub len: usize,
    /// Whether it can be written. Of a nested map: its own regions say.
    pub writable: bool,
}

impl Content {
    fn len(&self) -> usize {
        match self {
            Content::Attached(attachment) => attachment.len(),
            Content::Nested(map) => map.len(),
        }
    }

    fn is_writable(&self) -> bool {
        match self {
            Content::Attached(attachment) => attachment.is_writable(),
            Content::Nested(_) => true,
        }
    }

    fn is_revoked(&self) -> bool {
        matches!(self, Content::Attached(attachment) if attachment.is_revoked())
    }
}

impl RegionMap {
    /// Sets so many addresses aside, in whole pages. They cost no memory.
    ///
    /// # Errors
    /// [`Error::BadSize`], [`Error::System`].
    pub fn reserve(len: usize) -> Result<RegionMap, Error> {
        Addresses::reserve(file::whole_pages(len)?).map(RegionMap::of)
    }

    fn of(addresses: Arc<Addresses>) -> RegionMap {
        RegionMap(Arc::new(Map { addresses, regions: Mutex::default() }))
    }

    /// How many addresses it has.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // no map is without addresses
    pub fn len(&self) -> usize {
        self.0.addresses.len()
    }

    /// The first of its addresses in this process.
    #[must_use]
    pub fn base(&self) -> *const u8 {
        self.0.addresses.start().as_ptr()
    }

    /// Attaches a part of a dataspace at the first place with enough room, to be written if the kernel lets a new mapping
    /// be written. Answers the place.
    ///
    /// # Errors
    /// [`Error::NoRoom`]; of the window [`Error::OutOfBounds`], [`Error::BadSize`] (it is empty) and [`Error::Misaligned`] (it
    /// does not begin on a page); [`Error::Revoked`], [`Error::System`].
    pub fn attach(&self, source: &impl Source, window: Window) -> Result<usize, Error> {
        self.map(source, None, window, true)
    }

    /// As [`attach`](Self::attach), to be read.
    ///
    /// # Errors
    /// As of [`attach`](Self::attach).
    pub fn attach_read_only(&self, source: &impl Source, window: Window) -> Result<usize, Error> {
        self.map(source, None, window, false)
    }

    /// Attaches a part of a dataspace at a certain place, to be written if the kernel lets a new mapping be written.
    ///
    /// # Errors
    /// [`Error::Overlap`]; [`Error::OutOfBounds`] and [`Error::Misaligned`], of the window or of the place;
    /// [`Error::BadSize`] if the window is empty; [`Error::Revoked`], [`Error::System`].
    pub fn attach_at(&self, place: usize, source: &impl Source, window: Window) -> Result<(), Error> {
        self.map(source, Some(place), window, true).map(drop)
    }

    /// As [`attach_at`](Self::attach_at), to be read.
    ///
    /// # Errors
    /// As of [`attach_at`](Self::attach_at).
    pub fn attach_read_only_at(
        &self,
        place: usize,
        source: &impl Source,
        window: Window,
    ) -> Result<(), Error> {
        self.map(source, Some(place), window, false).map(drop)
    }

    /// Makes a part of it a map of its own, which can be given to whoever is to fill it. What is attached there is there in
    /// this one as well.
    ///
    /// # Errors
    /// [`Error::Overlap`], [`Error::OutOfBounds`], [`Error::Misaligned`], [`Error::BadSize`].
    pub fn nest(&self, place: usize, len: usize) -> Result<RegionMap, Error> {
        if !place.is_multiple_of(file::page()) {
            return Err(Error::Misaligned { offset: place, alignment: file::page() });
        }
        let len = file::whole_pages(len)?;
        let mut content = self.content();
        let part = make_room(&mut content, || self.0.addresses.take(Some(place), len))?;
        let nested = RegionMap::of(Addresses::within(part));
        content.insert(place, Content::Nested(nested.clone()));
        Ok(nested)
    }

    /// Detaches what begins at this place. Whoever still holds an [`Attachment`] or a nested map of it can use that, and the
    /// place is free when they have dropped it.
    ///
    /// # Errors
    /// [`Error::Unattached`]: nothing begins there.
    pub fn detach(&self, place: usize) -> Result<(), Error> {
        // Dropped when the lock is free again.
        let detached = self.content().remove(&place);
        detached.map(drop).ok_or(Error::Unattached { place })
    }

    /// The attachment that begins at this place, to be used without looking it up each time.
    ///
    /// # Errors
    /// [`Error::Unattached`]: none begins there.
    pub fn attachment(&self, place: usize) -> Result<Attachment, Error> {
        match self.content().get(&place) {
            Some(Content::Attached(attachment)) => Ok(attachment.clone()),
            _ => Err(Error::Unattached { place }),
        }
    }

    /// What is attached, in the order of places. What was freed by its owner is not any more.
    #[must_use]
    pub fn regions(&self) -> Vec<Region> {
        let region = |(place, content): (&usize, &Content)| Region {
            place: *place,
            len: content.len(),
            writable: content.is_writable(),
        };
        self.content().iter().filter(|(_, content)| !content.is_revoked()).map(region).collect()
    }

    /// Copies bytes from the map to `to`, out of as many regions as that takes.
    ///
    /// # Errors
    /// [`Error::Unattached`], [`Error::OutOfBounds`], [`Error::Revoked`]; what `to` holds then means nothing.
    pub fn copy_to(&self, place: usize, to: &mut [u8]) -> Result<(), Error> {
        let mut rest = to;
        for (attachment, offset, len) in self.resolve(place, rest.len())? {
            let (now, later) = rest.split_at_mut(len);
            attachment.copy_to(offset, now)?;
            rest = later;
        }
        Ok(())
    }

    /// Copies bytes from `from` to the map, into as many regions as that takes.
    ///
    /// # Errors
    /// [`Error::Unattached`], [`Error::OutOfBounds`], [`Error::ReadOnly`]: nothing is written. [`Error::Revoked`]: what
    /// lies before may be.
    pub fn copy_from(&self, place: usize, from: &[u8]) -> Result<(), Error> {
        let parts = self.resolve(place, from.len())?;
        if parts.iter().any(|(attachment, ..)| !attachment.is_writable()) {
            return Err(Error::ReadOnly);
        }
        let mut rest = from;
        for (attachment, offset, len) in parts {
            let (now, later) = rest.split_at(len);
            attachment.copy_from(offset, now)?;
            rest = later;
        }
        Ok(())
    }

    fn map(
        &self,
        source: &impl Source,
        start: Option<usize>,
        window: Window,
        write: bool,
    ) -> Result<usize, Error> {
        let origin = source.origin();
        let writable = write && origin.writable;
        let addresses = &self.0.addresses;
        let mut content = self.content();
        let attached = make_room(&mut content, || origin.map_within(addresses, start, window, writable))?;
        let place = attached.place().unwrap_or_default();
        content.insert(place, Content::Attached(attached));
        Ok(place)
    }

    /// What the bytes are in: which attachment, at which offset, how many.
    fn resolve(&self, place: usize, len: usize) -> Result<Vec<(Attachment, usize, usize)>, Error> {
        check(place, len, self.len())?;
        let (mut parts, mut next, end) = (Vec::new(), place, place + len);
        while next < end {
            let found = self.content_at(next);
            let (start, content) = found.ok_or(Error::Unattached { place: next })?;
            let (offset, now) = (next - start, (start + content.len()).min(end) - next);
            match content {
                Content::Attached(attachment) => parts.push((attachment, offset, now)),
                Content::Nested(map) => {
                    parts.extend(map.resolve(offset, now).map_err(|error| error.seen_from(start))?);
                }
            }
            next += now;
        }
        Ok(parts)
    }

    fn content_at(&self, place: usize) -> Option<(usize, Content)> {
        let regions = self.content();
        let (start, content) = regions.range(..=place).next_back()?;
        (place - start < content.len()).then(|| (*start, content.clone()))
    }

    fn content(&self) -> MutexGuard<'_, BTreeMap<usize, Content>> {
        // No code of others runs under the lock, and no step of ours leaves the map half changed.
        self.0.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Once more without what was freed, if that may be in the way.
fn make_room<R>(
    content: &mut BTreeMap<usize, Content>,
    mut attempt: impl FnMut() -> Result<R, Error>,
) -> Result<R, Error> {
    match attempt() {
        Err(Error::Overlap { .. } | Error::NoRoom { .. }) => {
            content.retain(|_, content| !content.is_revoked());
            attempt()
        }
        first => first,
    }
}
