//! The words of a stream in the memory that it keeps, found and checked once.
#![allow(unsafe_code)]

use crate::error::Error;
use crate::geometry::{Party, Queue};
use crate::sync::{AtomicU32, AtomicU64};
use portcullis_shm::Attachment;

/// What one side of a stream looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    pub(crate) own: PartyWords<'a>,
    pub(crate) other: PartyWords<'a>,
    pub(crate) put: QueueWords<'a>,
    pub(crate) take: QueueWords<'a>,
}

/// The words of a party.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartyWords<'a> {
    pub(crate) attention: &'a AtomicU32,
    pub(crate) bell: &'a AtomicU32,
}

/// The words of a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueWords<'a> {
    pub(crate) put: &'a AtomicU64,
    pub(crate) taken: &'a AtomicU64,
    pub(crate) entries: &'a [AtomicU64],
}

impl<'a> Words<'a> {
    /// Each entry has so many words.
    pub(crate) fn find(
        memory: &'a Attachment,
        [own, other]: [Party; 2],
        [put, take]: [Queue; 2],
        entry: usize,
    ) -> Result<Words<'a>, Error> {
        let party = |party: Party| -> Result<_, Error> {
            let (attention, bell) = (memory.atomic_u32(party.attention)?, memory.atomic_u32(party.bell)?);
            Ok(PartyWords { attention, bell })
        };
        let queue = |queue: Queue| -> Result<_, Error> {
            let entries = memory.atomics_u64(queue.entries, queue.length as usize * entry)?;
            Ok(QueueWords {
                put: memory.atomic_u64(queue.put)?,
                taken: memory.atomic_u64(queue.taken)?,
                entries,
            })
        };
        Ok(Words { own: party(own)?, other: party(other)?, put: queue(put)?, take: queue(take)? })
    }
}

/// Memory with the words in it. After a revocation they are words of no meaning that nobody else sees: whoever looks at
/// them for long looks at [`memory`](Self::memory), too.
#[derive(Debug)]
pub(crate) struct Mapped {
    /// Never lent for longer than `self` is.
    words: Words<'static>,
    memory: Attachment,
}

impl Mapped {
    /// Finds the words as [`Words::find`] does.
    pub(crate) fn new(
        memory: Attachment,
        parties: [Party; 2],
        queues: [Queue; 2],
        entry: usize,
    ) -> Result<Mapped, Error> {
        let words = Words::find(&memory, parties, queues, entry)?;
        // SAFETY: the lifetime is longer than that of the borrow, but
        // - the words lie in a mapping that `memory` keeps (attachments share it, and moving one moves nothing of it) at
        //   the same addresses until the last of them is dropped, even after a revocation;
        // - `words` is private, and lent by a method that shortens its lifetime to that of `self`, which has `memory`;
        // - no thread drops a reference's target by dropping the reference, so that the order of the fields is of no matter.
        let words = unsafe { std::mem::transmute::<Words<'_>, Words<'static>>(words) };
        Ok(Mapped { words, memory })
    }

    #[inline]
    pub(crate) fn words(&self) -> Words<'_> {
        self.words
    }

    #[inline]
    pub(crate) fn memory(&self) -> &Attachment {
        &self.memory
    }
}
