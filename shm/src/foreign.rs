//! Dataspaces of others.

use crate::attachment::Attachment;
use crate::capability::{Attributes, DataspaceCapability};
use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::life::Life;
use crate::quota::{RamAccount, RamQuota};
use crate::source::{Origin, Source};
use crate::sys::file;
use crate::sys::memory::Memory;
use crate::window::Window;
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
    origin: Origin,
    attributes: Attributes,
}

impl ForeignDataspace {
    pub(crate) fn import(
        file: Descriptor,
        attributes: Attributes,
        bound: Option<(usize, &RamAccount)>,
    ) -> Result<ForeignDataspace, Error> {
        let facts = file::examine(&file)?;
        let wrong = Error::NoDataspace("it does not have the size that was said");
        let size = usize::try_from(attributes.size()).map_err(|_| wrong)?;
        let content = file::whole_pages(size).map_err(|_| wrong)?;
        let behind = if attributes.is_revocable() { file::page() } else { 0 };
        if content.checked_add(behind) != Some(facts.size) {
            return Err(wrong);
        }
        // Before its pages are counted: those of what was freed are missing, and that is nobody's fault.
        if attributes.is_revocable() && file::read_word(&file, content)? == 0 {
            return Err(Error::Revoked);
        }
        let facts = facts.whole()?;
        let charge = match bound {
            Some((limit, _)) if facts.size > limit => {
                return Err(Error::TooLarge { size: facts.size, limit });
            }
            Some((_, account)) => Some(Arc::new(account.reserve(RamQuota::bytes(facts.size as u64))?)),
            None => None,
        };
        let page = attributes.is_revocable().then(|| Memory::map(&file, content, file::page(), false));
        let life = Life::new(page.transpose()?);
        life.check()?;
        let origin = Origin { file, size, writable: facts.writable, life, charge };
        Ok(ForeignDataspace { origin, attributes })
    }

    /// The size, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.origin.size
    }

    /// Whether it was shared to be written.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.origin.writable
    }

    /// Whether its owner has freed it, as far as can be seen.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.origin.life.check().is_err()
    }

    /// The right to attach it, to be handed on.
    #[must_use]
    pub fn capability(&self) -> DataspaceCapability {
        DataspaceCapability::new(self.origin.file.clone(), self.attributes)
    }

    /// Attaches a part of it, to be written if it was shared so.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; [`Error::BadSize`] if the window is empty; [`Error::Revoked`], [`Error::System`].
    pub fn attach(&self, window: Window) -> Result<Attachment, Error> {
        self.origin.map(window, self.origin.writable)
    }

    /// Attaches a part of it, to be read.
    ///
    /// # Errors
    /// As of [`attach`](Self::attach).
    pub fn attach_read_only(&self, window: Window) -> Result<Attachment, Error> {
        self.origin.map(window, false)
    }
}

impl Source for ForeignDataspace {
    fn origin(&self) -> Origin {
        self.origin.clone()
    }
}
