//! What is handed to others: the right to attach a dataspace.

use crate::attachment::Attachment;
use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::foreign::ForeignDataspace;
use crate::quota::RamAccount;
use crate::rom::Rom;
use crate::window::Window;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// What its maker says of a dataspace, in one word that travels beside the descriptor.
///
/// Bit 63: a page with the owner's word follows the content, so that a free is seen. Bits 0 to 62: the size in bytes.
///
/// ```
/// use portcullis_shm::{Attributes, RamAccount, RamAllocator, RamQuota};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(5000)?;
/// let attributes = dataspace.capability().attributes();
/// assert_eq!(attributes.size(), 5000);
/// assert!(attributes.is_revocable());
/// assert_eq!(Attributes::from_bits(attributes.bits()), attributes);
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes(u64);

const REVOCABLE: u64 = 1 << 63;

impl Attributes {
    pub(crate) fn new(size: usize, revocable: bool) -> Attributes {
        Attributes(size as u64 & !REVOCABLE | if revocable { REVOCABLE } else { 0 })
    }

    /// What the word of a message alleges. Any word will do: it is compared with the file when that is attached.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Attributes {
        Attributes(bits)
    }

    /// The word for a message.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The size of the content, in bytes.
    #[must_use]
    pub const fn size(self) -> u64 {
        self.0 & !REVOCABLE
    }

    /// Whether those who attach it see when it is freed.
    #[must_use]
    pub const fn is_revocable(self) -> bool {
        self.0 & REVOCABLE != 0
    }
}

/// The right to attach one dataspace: a descriptor and what is said of it. It can be handed on. What came from somebody
/// else is nothing but a claim, until it is attached or imported.
///
/// ```
/// use portcullis_shm::{DataspaceCapability, RamAccount, RamAllocator, RamQuota, Window};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(4096)?;
/// dataspace.attach(Window::WHOLE)?.copy_from(0, b"hello")?;
/// // What a message carries, and what is made of it at the other end.
/// let sent = dataspace.capability();
/// let (descriptor, attributes) = (sent.as_fd().try_clone_to_owned().unwrap(), sent.attributes());
/// let received = DataspaceCapability::from_parts(descriptor, attributes);
/// assert_eq!(received.attach(Window::WHOLE)?.read::<[u8; 5]>(0)?, *b"hello");
/// # use std::os::fd::AsFd;
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DataspaceCapability {
    file: Descriptor,
    attributes: Attributes,
}

impl DataspaceCapability {
    pub(crate) fn new(file: Descriptor, attributes: Attributes) -> DataspaceCapability {
        DataspaceCapability { file, attributes }
    }

    /// What came in a message. Nothing is believed of it yet, and the descriptor may be anything: so it stays what it is, and is
    /// closed in its own way. It must be the same descriptor for as long as it lives.
    #[must_use]
    pub fn from_parts(
        file: impl AsFd + Send + Sync + 'static,
        attributes: Attributes,
    ) -> DataspaceCapability {
        DataspaceCapability::new(Descriptor::new(Arc::new(file)), attributes)
    }

    /// The descriptor, for a message.
    #[must_use]
    pub fn descriptor(&self) -> Arc<dyn AsFd + Send + Sync> {
        self.file.shared()
    }

    /// What its maker says of it.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        self.attributes
    }

    /// Checks that it is a dataspace. For memory of a server, a parent, or an allocator that is trusted to let it be.
    ///
    /// # Errors
    /// [`Error::NoDataspace`], [`Error::Revoked`], [`Error::System`].
    pub fn import(&self) -> Result<ForeignDataspace, Error> {
        ForeignDataspace::import(self.file.clone(), self.attributes, None)
    }

    /// Checks that it is a dataspace of a size that is accepted, and sets that size aside in an account: the maker can take
    /// its pages out at any time, and whoever looks at them next brings them back, and pays. So a server gives
    /// the account of the client that sent it.
    ///
    /// # Errors
    /// As of [`import`](Self::import); [`Error::TooLarge`], [`Error::OutOfRam`].
    pub fn import_foreign(&self, limit: usize, account: &RamAccount) -> Result<ForeignDataspace, Error> {
        ForeignDataspace::import(self.file.clone(), self.attributes, Some((limit, account)))
    }

    /// Checks that it is a [`Rom`] of a size that is accepted.
    ///
    /// # Errors
    /// [`Error::NoDataspace`]: it is none, or could still be changed; [`Error::TooLarge`], [`Error::System`].
    pub fn import_rom(&self, limit: usize) -> Result<Rom, Error> {
        Rom::import(self.file.clone(), self.attributes, limit)
    }

    /// Imports it and attaches a part of it, to be written if it was shared so.
    ///
    /// # Errors
    /// As of [`import`](Self::import) and [`ForeignDataspace::attach`].
    pub fn attach(&self, window: Window) -> Result<Attachment, Error> {
        self.import()?.attach(window)
    }

    /// Imports what a client made, and attaches all of it.
    ///
    /// # Errors
    /// As of [`import_foreign`](Self::import_foreign) and [`ForeignDataspace::attach`].
    pub fn attach_foreign(&self, limit: usize, account: &RamAccount) -> Result<Attachment, Error> {
        self.import_foreign(limit, account)?.attach(Window::WHOLE)
    }
}

impl AsFd for DataspaceCapability {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
