//! Dataspaces of others.

use crate::attachment::{Attachment, Part};
use crate::capability::{Attributes, DataspaceCapability};
use crate::error::Error;
use crate::life::Life;
use crate::quota::{RamAccount, RamQuota, Reservation};
use crate::sys::file;
use crate::sys::memory::Memory;
use crate::window::Window;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// A dataspace that somebody else owns, checked: sealed memory on tmpfs that cannot change its size, all of whose pages were
/// there. It can be attached and handed on; only its owner can free it.
///
/// ```
/// use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota, Window};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc_published(4096)?;
/// let foreign = dataspace.capability().import()?;
/// assert_eq!(foreign.size(), 4096);
/// let attached = foreign.attach(Window::WHOLE)?;
/// assert_eq!(attached.copy_from(0, b"hello"), Err(Error::ReadOnly));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct ForeignDataspace {
    file: Arc<OwnedFd>,
    attributes: Attributes,
    size: usize,
    writable: bool,
    life: Arc<Life>,
    charge: Option<Arc<Reservation>>,
}

impl ForeignDataspace {
    pub(crate) fn import(
        file: Arc<OwnedFd>,
        attributes: Attributes,
        bound: Option<(usize, &RamAccount)>,
    ) -> Result<ForeignDataspace, Error> {
        let facts = file::examine(&*file)?;
        let wrong = Error::NoDataspace("it does not have the size that was said");
        let size = usize::try_from(attributes.size()).map_err(|_| wrong)?;
        let content = file::whole_pages(size).map_err(|_| wrong)?;
        let behind = if attributes.is_revocable() { file::page() } else { 0 };
        if content.checked_add(behind) != Some(facts.size) {
            return Err(wrong);
        }
        let charge = match bound {
            Some((limit, _)) if facts.size > limit => {
                return Err(Error::TooLarge { size: facts.size, limit });
            }
            Some((_, account)) => Some(Arc::new(account.reserve(RamQuota::bytes(facts.size as u64))?)),
            None => None,
        };
        let page = attributes.is_revocable().then(|| Memory::map(&*file, content, file::page(), false));
        let life = Life::new(page.transpose()?);
        life.check()?;
        Ok(ForeignDataspace { file, attributes, size, writable: facts.writable, life, charge })
    }

    /// The size, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether it was shared to be written.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// Whether its owner has freed it, as far as can be seen.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.life.check().is_err()
    }

    /// The right to attach it, to be handed on.
    #[must_use]
    pub fn capability(&self) -> DataspaceCapability {
        DataspaceCapability::new(self.file.clone(), self.attributes)
    }

    /// Attaches a part of it, to be written if it was shared so.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Revoked`], [`Error::System`].
    pub fn attach(&self, window: Window) -> Result<Attachment, Error> {
        self.map(window, self.writable)
    }

    /// Attaches a part of it, to be read.
    ///
    /// # Errors
    /// As of [`attach`](Self::attach).
    pub fn attach_read_only(&self, window: Window) -> Result<Attachment, Error> {
        self.map(window, false)
    }

    fn map(&self, window: Window, writable: bool) -> Result<Attachment, Error> {
        let (offset, len) = window.within(self.size)?;
        // A mapping begins on a page.
        let before = offset % file::page();
        let memory = Memory::map(&*self.file, offset - before, file::whole_pages(before + len)?, writable)?;
        let memory = Arc::new(memory);
        self.life.keep(&memory)?;
        let (life, charge) = (self.life.clone(), self.charge.clone());
        Ok(Attachment::new(Part { memory, life, start: before, len, writable, _charge: charge }))
    }
}
