//! How who sleeps is woken by a free.

use crate::life::Life;

/// The word by which a free becomes known, for whoever sleeps until something happens in the memory (futex(2), not private)
/// and is to be woken by a free as well.
///
/// A free changes the word and wakes who sleeps on it. So whoever looks at it, then at whether the memory
/// [is revoked](crate::Attachment::is_revoked), and then sleeps as long as the word is what was seen, sleeps through no free. Others
/// who can write the dataspace can change this word as any other, and wake who sleeps on it.
///
/// ```
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(4096)?;
/// let attached = dataspace.capability().attach(Window::WHOLE)?;
/// let (word, seen) = (attached.life_word(), attached.life_word().seen());
/// assert!(word.as_ptr().is_aligned());
/// assert_eq!(word.seen(), seen);
/// dataspace.free();
/// assert_ne!(word.seen(), seen);
/// # Ok::<(), portcullis_shm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LifeWord<'a>(&'a Life);

impl<'a> LifeWord<'a> {
    pub(crate) fn new(life: &'a Life) -> LifeWord<'a> {
        LifeWord(life)
    }

    /// What it is now. It has no meaning beyond being the same as before, or not.
    #[inline]
    #[must_use]
    pub fn seen(self) -> u32 {
        self.0.word()
    }

    /// Its address in this process, for the system call: a multiple of 4, mapped as long as the attachment lives, and perhaps only
    /// to be read.
    #[inline]
    #[must_use]
    pub fn as_ptr(self) -> *const u32 {
        self.0.word_address()
    }
}
