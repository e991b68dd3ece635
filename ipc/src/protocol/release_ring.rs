//! The ring through which a client gives back rows, without a system call.
//!
//! One producer (whoever holds the client's lock) and one consumer (the entrypoint's thread). `head` counts the
//! entries ever written, `tail` those ever taken; each side keeps its own index in private memory and believes of
//! the other's only what fits.

use crate::sync::{AtomicU64, Ordering};
use crate::wire::Violation;

/// So many references to a row are given back.
///
/// One word: bits 0-31 the row's index (its place is not used again before it is given back, so that the generation
/// would say nothing more), 32-47 the grants, 48-63 the messages sent, modulo 2¹⁶.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// The row's index.
    pub(crate) row: u32,
    /// How many of the row's grants.
    pub(crate) grants: u16,
    /// How many messages the client had sent over the socket before: those count first. A socket holds some
    /// hundreds, so the low bits tell.
    pub(crate) sent: u16,
}

impl Release {
    fn encode(self) -> u64 {
        u64::from(self.row) | u64::from(self.grants) << 32 | u64::from(self.sent) << 48
    }

    #[allow(clippy::cast_possible_truncation)] // each field is cut to its width
    fn decode(word: u64) -> Release {
        Release { row: word as u32, grants: (word >> 32) as u16, sent: (word >> 48) as u16 }
    }
}

/// The shared words of a ring: a power of two of entries.
#[derive(Clone, Copy)]
pub(crate) struct Ring<'a> {
    pub(crate) head: &'a AtomicU64,
    pub(crate) tail: &'a AtomicU64,
    pub(crate) entries: &'a [AtomicU64],
}

impl Ring<'_> {
    fn capacity(&self) -> u64 {
        self.entries.len() as u64
    }

    #[allow(clippy::cast_possible_truncation)] // masked before
    fn entry(&self, index: u64) -> &AtomicU64 {
        &self.entries[(index & (self.capacity() - 1)) as usize]
    }

    /// Client: adds an entry behind `head`, its own private count; `false` if there is no room.
    pub(crate) fn push(&self, head: &mut u64, release: Release) -> bool {
        // Acquire: the consumer has read the entry that we are about to overwrite; pairs with `pop`'s release.
        // A consumer that lies about its tail spoils what it reads itself, nothing else.
        if head.wrapping_sub(self.tail.load(Ordering::Acquire)) >= self.capacity() {
            return false;
        }
        self.entry(*head).store(release.encode(), Ordering::Relaxed);
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
    pub(crate) fn pop(&self, tail: &mut u64) -> Result<Option<Release>, Violation> {
        // Acquire: pairs with `push`'s release.
        match self.head.load(Ordering::Acquire).wrapping_sub(*tail) {
            0 => return Ok(None),
            filled if filled > self.capacity() => {
                return Err(Violation("the head of the release ring jumped"));
            }
            _ => {}
        }
        let release = Release::decode(self.entry(*tail).load(Ordering::Relaxed));
        *tail = tail.wrapping_add(1);
        // Release: our read before the room is given back; pairs with `push`'s acquire.
        self.tail.store(*tail, Ordering::Release);
        Ok(Some(release))
    }
}
