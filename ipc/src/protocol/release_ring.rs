//! The ring through which a client gives back rows, without a system call.
//!
//! One producer (whoever holds the client's lock) and one consumer (the entrypoint's thread). `head` counts the
//! entries ever written, `tail` those ever taken; each side keeps its own index in private memory and believes of
//! the other's only what fits.

use crate::sync::{AtomicU64, Ordering};
use crate::wire::Violation;
use crate::wire::head::RowName;

/// So many references to a row are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) row: RowName,
    /// How many of the row's grants.
    pub(crate) grants: u32,
    /// How many messages the client had sent over the socket before: those count first.
    pub(crate) sent: u32,
}

/// The shared words of a ring. `entries` has two words an entry and a power of two of entries.
#[derive(Clone, Copy)]
pub(crate) struct Ring<'a> {
    pub(crate) head: &'a AtomicU64,
    pub(crate) tail: &'a AtomicU64,
    pub(crate) entries: &'a [AtomicU64],
}

impl Ring<'_> {
    fn capacity(&self) -> u64 {
        (self.entries.len() / 2) as u64
    }

    fn entry(&self, index: u64) -> [&AtomicU64; 2] {
        // Masked before the cast, so it fits.
        let place = (index & (self.capacity() - 1)) as usize * 2;
        [&self.entries[place], &self.entries[place + 1]]
    }

    /// Client: adds an entry behind `head`, its own private count; `false` if there is no room.
    pub(crate) fn push(&self, head: &mut u64, release: Release) -> bool {
        // Acquire: the consumer has read the entry that we are about to overwrite; pairs with `pop`'s release.
        // A consumer that lies about its tail spoils what it reads itself, nothing else.
        if head.wrapping_sub(self.tail.load(Ordering::Acquire)) >= self.capacity() {
            return false;
        }
        let [name, counts] = self.entry(*head);
        name.store(release.row.encode(), Ordering::Relaxed);
        counts.store(u64::from(release.grants) | u64::from(release.sent) << 32, Ordering::Relaxed);
        *head = head.wrapping_add(1);
        // Release: the entry before its count; pairs with `pop`'s acquire.
        self.head.store(*head, Ordering::Release);
        true
    }

    /// Client: whether it is at least half full, seen from its own private count.
    pub(crate) fn half_full(&self, head: u64) -> bool {
        head.wrapping_sub(self.tail.load(Ordering::Relaxed)) >= self.capacity() / 2
    }

    /// Server: takes the entry at `tail`, its own private count.
    #[allow(clippy::cast_possible_truncation)] // two halves
    pub(crate) fn pop(&self, tail: &mut u64) -> Result<Option<Release>, Violation> {
        // Acquire: pairs with `push`'s release.
        match self.head.load(Ordering::Acquire).wrapping_sub(*tail) {
            0 => return Ok(None),
            filled if filled > self.capacity() => {
                return Err(Violation("the head of the release ring jumped"));
            }
            _ => {}
        }
        let [name, counts] = self.entry(*tail);
        let (name, counts) = (name.load(Ordering::Relaxed), counts.load(Ordering::Relaxed));
        *tail = tail.wrapping_add(1);
        // Release: our reads before the room is given back; pairs with `push`'s acquire.
        self.tail.store(*tail, Ordering::Release);
        Ok(Some(Release { row: RowName::decode(name), grants: counts as u32, sent: (counts >> 32) as u32 }))
    }
}
