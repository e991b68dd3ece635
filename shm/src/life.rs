//! Whether a dataspace has been freed, and what becomes of its attachments then.
//!
//! A page behind the content of each dataspace has a word that is not zero while the dataspace lives. Its owner clears it
//! before it takes the pages away; and that they are taken away clears it again. So whoever reads zeros that the owner
//! made finds a zero there too. An access looks at the word before and after: it is never written while the dataspace
//! lives, so it stays in the cache of whoever reads it.
//!
//! Who sleeps looks at nothing. So its first half is a futex, too: it is a word that stays zero once it is, whether by the
//! owner's store or with the page, and who sleeps while it is what it was is woken after that store.

use crate::error::Error;
use crate::sys::futex;
use crate::sys::memory::Memory;
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The word of a dataspace that lives.
pub(crate) const ALIVE: u64 = u64::from_le_bytes(*b"dataspac");

/// What a process knows about the life of one dataspace, and all that it has mapped of it.
#[derive(Debug)]
pub(crate) struct Life {
    /// Not zero: freed, as far as this process has noticed. Never taken back, whatever others do to the word.
    over: AtomicU32,
    /// The owner's page. The owner itself has none: others may be able to write it, and need not tell it.
    page: Option<Memory>,
    mapped: Mutex<Mapped>,
}

#[derive(Debug, Default)]
struct Mapped {
    memory: Vec<Weak<Memory>>,
    /// So many entries, and those of mappings that are gone are left out.
    tidy_at: usize,
}

impl Life {
    pub(crate) fn new(page: Option<Memory>) -> Arc<Life> {
        Arc::new(Life { over: AtomicU32::new(0), page, mapped: Mutex::default() })
    }

    /// Whether it lives, as far as can be seen.
    ///
    /// # Errors
    /// [`Error::Revoked`].
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Error> {
        let marked = |page: &Memory| page.load_u64(0, Ordering::Relaxed) == 0;
        if self.is_over() || self.page.as_ref().is_some_and(marked) {
            return self.found_over();
        }
        Ok(())
    }

    /// As [`check`](Self::check), for what was read before this call: if it succeeds, that was read before the owner
    /// took the pages away.
    #[inline]
    pub(crate) fn check_after(&self) -> Result<(), Error> {
        // Orders what was read before the load of the word. Pairs with the fence in `mark`: whoever read a zero of the
        // owner's making loads a word that is zero.
        fence(Ordering::Acquire);
        self.check()
    }

    #[inline]
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) != 0
    }

    /// The word that a free changes: the page's; to the owner its own, which nobody else can write.
    #[inline]
    pub(crate) fn word(&self) -> u32 {
        // Relaxed: whoever is about to sleep on it has the kernel compare it once more.
        let of_page = |page: &Memory| page.load_u32(0, Ordering::Relaxed);
        self.page.as_ref().map_or_else(|| self.over.load(Ordering::Relaxed), of_page)
    }

    /// Where that word is.
    #[inline]
    pub(crate) fn word_address(&self) -> *const u32 {
        let of_page = |page: &Memory| page.start().as_ptr().cast_const().cast();
        self.page.as_ref().map_or(self.over.as_ptr().cast_const(), of_page)
    }

    /// Says in the memory itself that it is over, for everybody who has it, and wakes who sleeps there; before any of the
    /// content goes.
    pub(crate) fn mark(memory: &Memory, offset: usize) {
        memory.atomic_u64(offset).store(0, Ordering::Relaxed);
        // Orders the word before the zeros that are written next. (Not a release of the store: that orders what came
        // before it.) Where the pages are punched instead, the system call orders more than that.
        fence(Ordering::Release);
        futex::wake(memory.atomic_u32(offset));
    }

    /// Takes note of memory that shows this dataspace.
    ///
    /// # Errors
    /// [`Error::Revoked`].
    pub(crate) fn keep(&self, memory: &Arc<Memory>) -> Result<(), Error> {
        self.check()?;
        let mut mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        // Once more under the lock: who ends it sets this first, and then looks through what is mapped.
        if self.is_over() {
            return Err(Error::Revoked);
        }
        if mapped.memory.len() >= mapped.tidy_at {
            mapped.memory.retain(|memory| memory.strong_count() > 0);
            mapped.tidy_at = mapped.memory.len() * 2 + 8;
        }
        mapped.memory.push(Arc::downgrade(memory));
        Ok(())
    }

    /// Has new accesses of this process, the owner's, fail, and wakes who sleeps in it.
    pub(crate) fn close(&self) {
        self.over.store(1, Ordering::Relaxed);
        futex::wake(&self.over);
    }

    /// Ends it in this process: everything that is mapped of it shows zeros from now on, and nothing of its pages is held. Who sleeps
    /// on the word is woken.
    pub(crate) fn end(&self) {
        let mut mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        self.over.store(1, Ordering::Relaxed);
        for memory in mapped.memory.drain(..).filter_map(|memory| memory.upgrade()) {
            // Refused only where the kernel has no memory left for its own books. The memory then goes on showing what
            // is left of the dataspace, which is zeros as well.
            let _ = memory.blank();
        }
        // Whoever sleeps in this process does so on pages that it no longer shows, where what this process writes and wakes from now
        // on reaches nobody. The word is still the owner's, and it may have been cleared by somebody who wakes nobody.
        if let Some(page) = &self.page {
            page.wake(0);
        }
    }

    #[cold]
    fn found_over(&self) -> Result<(), Error> {
        if !self.is_over() {
            self.end();
        }
        Err(Error::Revoked)
    }
}
