//! Memory of one's own, to share.

use crate::attachment::{Attachment, Part};
use crate::capability::{Attributes, DataspaceCapability};
use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::life::{ALIVE, Life};
use crate::lingering::Lingering;
use crate::quota::Reservation;
use crate::source::{Origin, Source};
use crate::sys::file;
use crate::sys::memory::Memory;
use crate::window::Window;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Memory that its holder owns: it pays for it, hands out capabilities to it, and frees it, at the latest by dropping it.
/// Others can neither free it nor change its size.
///
/// ```
/// use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota, Window};
///
/// let account = RamAccount::new(RamQuota::mib(1));
/// let dataspace = RamAllocator::new(&account).alloc(64 * 1024)?;
/// let mine = dataspace.attach(Window::WHOLE)?;
/// let theirs = dataspace.capability().attach(Window::WHOLE)?;
/// mine.copy_from(0, b"hello")?;
/// assert_eq!(theirs.read::<[u8; 5]>(0)?, *b"hello");
///
/// assert!(dataspace.free().is_none(), "nothing of it is left anywhere");
/// assert_eq!(theirs.read::<[u8; 5]>(0), Err(Error::Revoked));
/// assert_eq!(account.used(), RamQuota::bytes(0));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Dataspace {
    file: Descriptor,
    /// All of it, with the page behind the content; mapped before it was sealed.
    memory: Arc<Memory>,
    size: usize,
    /// Whether others can but read it.
    published: bool,
    life: Arc<Life>,
    /// Whether others may have it.
    shared: AtomicBool,
    /// There until it is freed.
    reservation: Option<Reservation>,
}

impl Dataspace {
    /// `pages` is the size of the file: the content, and a page.
    pub(crate) fn create(
        size: usize,
        pages: usize,
        published: bool,
        reservation: Reservation,
    ) -> Result<Dataspace, Error> {
        let file = file::create(pages)?;
        // Mapped before it is sealed: a seal against writing lets be what is mapped already.
        let memory = Arc::new(file::map_whole(&file, pages)?);
        memory.atomic_u64(pages - file::page()).store(ALIVE, Ordering::Relaxed);
        let against_writers =
            if published { rustix::fs::SealFlags::FUTURE_WRITE } else { rustix::fs::SealFlags::empty() };
        file::seal(&file, file::SEALED | against_writers)?;
        let life = Life::new(None);
        life.keep(&memory)?;
        let (shared, reservation) = (AtomicBool::new(false), Some(reservation));
        Ok(Dataspace {
            file: Descriptor::new(Arc::new(file)),
            memory,
            size,
            published,
            life,
            shared,
            reservation,
        })
    }

    /// The size, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The right to attach it, to be handed to others.
    #[must_use]
    pub fn capability(&self) -> DataspaceCapability {
        self.shared.store(true, Ordering::Relaxed);
        DataspaceCapability::new(self.file.clone(), Attributes::new(self.size, true))
    }

    /// Attaches a part of it, to be written. It costs no addresses: the owner has all of it mapped anyway.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; [`Error::BadSize`] if the window is empty.
    pub fn attach(&self, window: Window) -> Result<Attachment, Error> {
        self.part(window, true)
    }

    /// Attaches a part of it, to be read.
    ///
    /// # Errors
    /// As of [`attach`](Self::attach).
    pub fn attach_read_only(&self, window: Window) -> Result<Attachment, Error> {
        self.part(window, false)
    }

    /// Takes it back from everybody: its pages are gone, or wiped where others can but read it. Attachments answer
    /// [`Error::Revoked`]; who has mapped it by other means reads zeros. Its account has back what was set aside, but for what
    /// still is in the hands of others, which is answered.
    ///
    /// A dataspace that is dropped is freed, too, and what is in the hands of others then stays on its account for good.
    pub fn free(mut self) -> Option<Lingering> {
        self.take_back();
        let reservation = self.reservation.take()?;
        self.lingers().then(|| Lingering::new(reservation))
    }

    /// The kernel lets nobody take pages out of a file that is sealed against writers. So they are there until the last
    /// descriptor and the last mapping are gone.
    fn lingers(&self) -> bool {
        self.published && self.shared.load(Ordering::Relaxed)
    }

    fn take_back(&self) {
        let pages = self.memory.len();
        self.life.close();
        Life::mark(&self.memory, pages - file::page());
        if self.published {
            let zeros = [0; 4096];
            for offset in (0..pages).step_by(zeros.len()) {
                self.memory.copy_in(offset, &zeros[..zeros.len().min(pages - offset)]);
            }
        }
        // Before the pages go: a write that is under way would bring one of them back.
        self.life.end();
        if !self.published {
            let punched = file::punch(&self.file, pages);
            debug_assert!(punched.is_ok(), "nothing forbids a hole: {punched:?}");
        }
    }

    fn part(&self, window: Window, writable: bool) -> Result<Attachment, Error> {
        let (offset, len) = window.within(self.size)?;
        let (memory, life) = (self.memory.clone(), self.life.clone());
        Ok(Attachment::new(Part { memory, life, start: offset, offset, len, writable, _charge: None }))
    }
}

impl Drop for Dataspace {
    fn drop(&mut self) {
        let Some(reservation) = self.reservation.take() else { return };
        self.take_back();
        if self.lingers() {
            Lingering::new(reservation).for_good();
        }
    }
}

impl Source for Dataspace {
    fn origin(&self) -> Origin {
        Origin {
            file: self.file.clone(),
            size: self.size,
            writable: !self.published,
            life: self.life.clone(),
            charge: None,
        }
    }
}
