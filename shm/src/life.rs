//! Whether a dataspace has been freed, and what becomes of its attachments then.
//!
//! A page behind the content of each dataspace has a word that is not zero while the dataspace lives. Its owner clears it
//! before it takes the pages away; and that they are taken away clears it again. So whoever reads zeros that the owner
//! made finds a zero there too. An access looks at the word before and after: it is never written while the dataspace
//! lives, so it stays in the cache of whoever reads it.

use crate::error::Error;
use crate::sys::memory::Memory;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The word of a dataspace that lives.
pub(crate) const ALIVE: u64 = u64::from_le_bytes(*b"dataspac");

/// What a process knows about the life of one dataspace, and all that it has mapped of it.
#[derive(Debug)]
pub(crate) struct Life {
    /// Freed, as far as this process has noticed. Never taken back, whatever others do to the word.
    over: AtomicBool,
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
        Arc::new(Life { over: AtomicBool::new(false), page, mapped: Mutex::default() })
    }

    /// Whether it lives, as far as can be seen.
    ///
    /// # Errors
    /// [`Error::Revoked`].
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Error> {
        let marked = |page: &Memory| page.load_u64(0, Ordering::Relaxed) == 0;
        if self.over.load(Ordering::Relaxed) || self.page.as_ref().is_some_and(marked) {
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

    /// Says in the memory itself that it is over, for everybody who has it; before any of the content goes.
    pub(crate) fn mark(memory: &Memory, offset: usize) {
        memory.atomic_u64(offset).store(0, Ordering::Relaxed);
        // Orders the word before the zeros that are written next. (Not a release of the store: that orders what came
        // before it.) Where the pages are punched instead, the system call orders more than that.
        fence(Ordering::Release);
    }

    /// Takes note of memory that shows this dataspace.
    ///
    /// # Errors
    /// [`Error::Revoked`].
    pub(crate) fn keep(&self, memory: &Arc<Memory>) -> Result<(), Error> {
        self.check()?;
        let mut mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        // Once more under the lock: who ends it sets this first, and then looks through what is mapped.
        if self.over.load(Ordering::Relaxed) {
            return Err(Error::Revoked);
        }
        if mapped.memory.len() >= mapped.tidy_at {
            mapped.memory.retain(|memory| memory.strong_count() > 0);
            mapped.tidy_at = mapped.memory.len() * 2 + 8;
        }
        mapped.memory.push(Arc::downgrade(memory));
        Ok(())
    }

    /// Has new accesses of this process fail.
    pub(crate) fn close(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Ends it in this process: everything that is mapped of it shows zeros from now on, and nothing of its pages is held.
    pub(crate) fn end(&self) {
        let mut mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        self.over.store(true, Ordering::Relaxed);
        for memory in mapped.memory.drain(..).filter_map(|memory| memory.upgrade()) {
            // Refused only where the kernel has no memory left for its own books. The memory then goes on showing what
            // is left of the dataspace, which is zeros as well.
            let _ = memory.blank();
        }
    }

    #[cold]
    fn found_over(&self) -> Result<(), Error> {
        if !self.over.load(Ordering::Relaxed) {
            self.end();
        }
        Err(Error::Revoked)
    }
}
