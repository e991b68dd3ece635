//! What an attachment comes from.

use crate::attachment::{Attachment, Part};
use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::life::Life;
use crate::quota::Reservation;
use crate::sys::addresses::Addresses;
use crate::sys::file;
use crate::sys::memory::Memory;
use crate::window::Window;
use std::sync::Arc;

/// A dataspace of which a new mapping can be made.
#[derive(Clone, Debug)]
pub struct Origin {
    pub(crate) file: Descriptor,
    pub(crate) size: usize,
    /// Whether the kernel lets a new mapping be written.
    pub(crate) writable: bool,
    pub(crate) life: Arc<Life>,
    /// See [`Part`].
    pub(crate) charge: Option<Arc<Reservation>>,
}

/// What can be attached in a [`RegionMap`](crate::RegionMap): a [`Dataspace`](crate::Dataspace) or a
/// [`ForeignDataspace`](crate::ForeignDataspace).
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, RegionMap, Source, Window};
///
/// fn second_page(map: &RegionMap, of: &impl Source) -> Result<usize, portcullis_shm::Error> {
///     map.attach(of, Window::from(4096))
/// }
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(8192)?;
/// second_page(&RegionMap::reserve(1 << 20)?, &dataspace)?;
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
pub trait Source {
    #[doc(hidden)]
    fn origin(&self) -> Origin;
}

impl Origin {
    /// Maps a part of it, wherever there is room.
    pub(crate) fn map(&self, window: Window, writable: bool) -> Result<Attachment, Error> {
        let (offset, len) = window.within(self.size)?;
        // A mapping begins on a page.
        let before = offset % file::page();
        let pages = file::whole_pages(before + len)?;
        let memory = Memory::map(&self.file, offset - before, pages, writable)?;
        self.attachment(memory, before, (offset, len), writable)
    }

    /// Maps a part of it among addresses that were set aside, at a certain place or at any that is free.
    pub(crate) fn map_within(
        &self,
        addresses: &Arc<Addresses>,
        start: Option<usize>,
        window: Window,
        writable: bool,
    ) -> Result<Attachment, Error> {
        let (offset, len) = window.within(self.size)?;
        for place in [offset, start.unwrap_or(0)] {
            if !place.is_multiple_of(file::page()) {
                return Err(Error::Misaligned { offset: place, alignment: file::page() });
            }
        }
        let place = addresses.take(start, file::whole_pages(len)?)?;
        let memory = Memory::map_at(place, &self.file, offset, writable)?;
        self.attachment(memory, 0, (offset, len), writable)
    }

    fn attachment(
        &self,
        memory: Memory,
        start: usize,
        (offset, len): (usize, usize),
        writable: bool,
    ) -> Result<Attachment, Error> {
        let memory = Arc::new(memory);
        self.life.keep(&memory)?;
        let (life, charge) = (self.life.clone(), self.charge.clone());
        Ok(Attachment::new(Part { memory, life, start, offset, len, writable, _charge: charge }))
    }
}
