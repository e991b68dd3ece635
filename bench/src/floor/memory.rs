//! Memory that the processes of a benchmark share.
#![allow(unsafe_code)]

use crate::error::Error;
use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{FallocateFlags, MemfdFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::AtomicU32;

/// The bytes that a slot carries at most.
pub(crate) const MAX_BYTES: usize = 1024;
/// Each slot has a page of its own; a sequence word stands before its payload.
const SLOT_BYTES: usize = 4096;
const SLOTS: usize = 3;
/// Behind the word, aligned for copies by words.
const PAYLOAD: usize = 8;

/// What a slot is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    /// From the client to the server.
    Request = 0,
    /// From the server to the client.
    Reply = 1,
    /// Opened for many clients at once; its payload says when that was.
    Gate = 2,
}

/// Slots in memory that the processes of a benchmark share. They trust each other, and the sequence words order
/// their accesses: a payload is written only by the side whose turn it is.
#[derive(Debug)]
pub(crate) struct Memory(MmapRaw);

impl Memory {
    /// New memory, and the file to hand to the other process.
    pub(crate) fn new() -> Result<(Memory, OwnedFd), Error> {
        let file = rustix::fs::memfd_create("portcullis-bench-floor", MemfdFlags::CLOEXEC)
            .map_err(Error::system("memfd_create"))?;
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, (SLOTS * SLOT_BYTES) as u64)
            .map_err(Error::system("fallocate"))?;
        Ok((Memory::map(&file)?, file))
    }

    /// Maps what another process made by [`new`](Self::new).
    pub(crate) fn map(file: &impl AsFd) -> Result<Memory, Error> {
        let file = file.as_fd().try_clone_to_owned().map_err(Error::io("fcntl(F_DUPFD_CLOEXEC)"))?;
        let stat = rustix::fs::fstat(&file).map_err(Error::system("fstat"))?;
        if stat.st_size != (SLOTS * SLOT_BYTES) as i64 {
            return Err(Error::Misunderstood("the shared memory of the floor"));
        }
        MmapOptions::new().len(SLOTS * SLOT_BYTES).map_raw(&file).map(Memory).map_err(Error::io("mmap"))
    }

    /// The sequence word of a slot.
    #[inline]
    pub(crate) fn word(&self, slot: Slot) -> &AtomicU32 {
        let word = self.0.as_mut_ptr().wrapping_add(slot as usize * SLOT_BYTES);
        // SAFETY:
        // - valid: `slot` is below `SLOTS`, so the word lies in the mapping, which lives as long as `self`; nobody
        //   shrinks the file, whose only holders are the processes of one benchmark;
        // - aligned: a mapping starts on a page and a slot is a page long;
        // - shared writes: all accesses to it, here and in the other process, are atomic and of this size.
        unsafe { AtomicU32::from_ptr(word.cast()) }
    }

    /// Copies a payload into a slot.
    ///
    /// # Panics
    /// If it is longer than [`MAX_BYTES`].
    #[inline]
    pub(crate) fn write(&self, slot: Slot, payload: &[u8]) {
        assert!(payload.len() <= MAX_BYTES);
        let place = self.0.as_mut_ptr().wrapping_add(slot as usize * SLOT_BYTES + PAYLOAD);
        // SAFETY:
        // - source: `payload` is a valid slice of that length;
        // - destination: `PAYLOAD + MAX_BYTES` fits into the slot, and the slot into the mapping;
        // - disjoint: no Rust reference to the mapping's payloads is ever made;
        // - no race: it is our turn (the sequence words say so), the other side reads after the release store.
        unsafe { std::ptr::copy_nonoverlapping(payload.as_ptr(), place, payload.len()) }
    }

    /// Copies a payload out of a slot.
    ///
    /// # Panics
    /// If it is longer than [`MAX_BYTES`].
    #[inline]
    pub(crate) fn read(&self, slot: Slot, payload: &mut [u8]) {
        assert!(payload.len() <= MAX_BYTES);
        let place = self.0.as_mut_ptr().wrapping_add(slot as usize * SLOT_BYTES + PAYLOAD);
        // SAFETY:
        // - source: `PAYLOAD + MAX_BYTES` fits into the slot, and the slot into the mapping; any bytes are valid `u8`s;
        // - destination: `payload` is a valid slice of that length, and exclusively ours;
        // - no race: the acquire load of the sequence word came before, and the other side writes no more until we
        //   have stored ours.
        unsafe { std::ptr::copy_nonoverlapping(place, payload.as_mut_ptr(), payload.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn two_mappings_share_words_and_payloads() {
        let (ours, file) = Memory::new().unwrap();
        let theirs = Memory::map(&file).unwrap();
        for (slot, byte) in [(Slot::Request, 1), (Slot::Reply, 2), (Slot::Gate, 3)] {
            ours.write(slot, &[byte; MAX_BYTES]);
            ours.word(slot).store(byte.into(), Ordering::Release);
        }
        let mut payload = [0; MAX_BYTES];
        for (slot, byte) in [(Slot::Request, 1), (Slot::Reply, 2), (Slot::Gate, 3)] {
            assert_eq!(theirs.word(slot).load(Ordering::Acquire), byte.into());
            theirs.read(slot, &mut payload);
            assert_eq!(payload, [byte; MAX_BYTES]);
        }
    }

    #[test]
    fn another_file_is_refused() {
        let file = rustix::fs::memfd_create("short", MemfdFlags::CLOEXEC).unwrap();
        assert!(matches!(Memory::map(&file), Err(Error::Misunderstood(_))));
    }
}
