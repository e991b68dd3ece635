//! The message buffer: what one call or one reply carries.

use crate::capability::Capability;
use crate::error::Error;
use crate::sync::{AtomicU64, Ordering};
use crate::wire::layout::{DATA_WORDS, SLOTS};

/// Bytes of data that a message holds.
pub const MAX_DATA: usize = DATA_WORDS * 8;
/// Capabilities that a message holds.
pub const MAX_CAPABILITIES: usize = SLOTS;

/// Words that are copied in one turn of a loop.
const AT_ONCE: usize = 8;

/// A private buffer for one message: up to 1,024 bytes of data, up to 4 capabilities, and the method that is meant.
///
/// The same buffer can be filled, sent, and filled again; nothing of it is shared with a peer. Capabilities that it
/// holds stay held until it is cleared or dropped.
///
/// ```
/// use portcullis_ipc::MsgBuf;
///
/// let mut message = MsgBuf::new();
/// message.set_method(7, 0);
/// message.write(b"hello ")?;
/// message.write(b"there")?;
/// assert_eq!((message.opcode(), message.data()), (7, &b"hello there"[..]));
/// message.clear();
/// assert!(message.data().is_empty());
/// # Ok::<_, portcullis_ipc::Error>(())
/// ```
pub struct MsgBuf {
    data: [u8; MAX_DATA],
    length: u16,
    slots: [Option<Capability>; MAX_CAPABILITIES],
    used: usize,
    opcode: u32,
    link: u64,
}

impl MsgBuf {
    /// An empty message.
    #[must_use]
    pub const fn new() -> MsgBuf {
        MsgBuf { data: [0; MAX_DATA], length: 0, slots: [const { None }; 4], used: 0, opcode: 0, link: 0 }
    }

    /// Empties it: no data, no capabilities, method 0.
    #[inline]
    pub fn clear(&mut self) {
        self.length = 0;
        self.clear_slots();
        (self.opcode, self.link) = (0, 0);
    }

    /// Says which method of the object is meant: its number, and the hash of its interface up to that method.
    /// Both are the business of the layer above; a reply carries neither.
    #[inline]
    pub fn set_method(&mut self, opcode: u32, link: u64) {
        (self.opcode, self.link) = (opcode, link);
    }

    /// The method's number.
    #[must_use]
    #[inline]
    pub fn opcode(&self) -> u32 {
        self.opcode
    }

    /// The hash of the interface up to the method.
    #[must_use]
    #[inline]
    pub fn link(&self) -> u64 {
        self.link
    }

    /// The data, at most 1,024 bytes.
    #[must_use]
    #[inline]
    pub fn data(&self) -> &[u8] {
        &self.data[..usize::from(self.length)]
    }

    /// Appends data.
    ///
    /// # Errors
    /// [`Error::MessageTooLarge`] if it would be more than 1,024 bytes; the message is as it was.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let start = usize::from(self.length);
        let end = start.saturating_add(bytes.len());
        match (self.data.get_mut(start..end), u16::try_from(end)) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(bytes);
                self.length = length;
                Ok(())
            }
            _ => Err(Error::MessageTooLarge { length: end }),
        }
    }

    /// Has the rest of the buffer filled in place: `fill` gets the room that is left and answers how much of it it
    /// used. What it says beyond the room counts as all of it.
    ///
    /// # Errors
    /// Those of `fill`; the message is as it was then.
    #[inline]
    pub fn fill<E>(&mut self, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<(), E> {
        let room = &mut self.data[usize::from(self.length)..];
        let used = fill(room)?.min(room.len());
        // At most 1,024, so that nothing is lost.
        self.length = self.length.saturating_add(u16::try_from(used).unwrap_or(0));
        Ok(())
    }

    /// Bytes of data, as a message's head says it.
    #[inline]
    pub(crate) fn length(&self) -> u16 {
        self.length
    }

    /// How many capabilities came or go with the message, taken ones included.
    #[must_use]
    #[inline]
    pub fn capabilities(&self) -> usize {
        self.used
    }

    /// Adds a capability.
    ///
    /// # Errors
    /// [`Error::TooManyCapabilities`] if there are four; the message is as it was.
    pub fn push(&mut self, capability: Capability) -> Result<(), Error> {
        let slot = self.slots.get_mut(self.used).ok_or(Error::TooManyCapabilities)?;
        *slot = Some(capability);
        self.used += 1;
        Ok(())
    }

    /// Takes the capability out of a slot; `None` if the slot is unused or was taken before.
    pub fn take(&mut self, slot: usize) -> Option<Capability> {
        self.slots.get_mut(slot)?.take()
    }

    /// The capabilities that are to be sent, in order.
    pub(crate) fn held(&self) -> impl Iterator<Item = &Capability> {
        self.slots[..self.used].iter().flatten()
    }

    #[inline]
    fn clear_slots(&mut self) {
        if self.used != 0 {
            self.slots[..self.used].iter_mut().for_each(|slot| drop(slot.take()));
            self.used = 0;
        }
    }

    /// Copies the data into shared words. The rest of the last word is zero: nothing old leaks to the peer.
    ///
    /// From the end to the start, so that the line of the state word comes last: stores become visible in order, and
    /// a peer that looks at the state word while another line is fetched takes that line away once more.
    #[inline]
    pub(crate) fn copy_to(&self, words: &[AtomicU64; DATA_WORDS]) {
        let (whole, bytes) = (usize::from(self.length) / 8, self.length % 8);
        // Relaxed: the state word, stored after with release, orders all of it.
        let store = |(word, chunk): (&AtomicU64, &[u8; 8])| {
            word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
        };
        let data = self.data.as_chunks::<8>().0;
        if bytes != 0 {
            // Byte by byte: a word that was just written in parts cannot be read before these have left the core.
            let last = &data[whole][..usize::from(bytes)];
            let word = last.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            words[whole].store(word, Ordering::Relaxed);
        }
        let (first_words, words) = words[..whole].as_rchunks::<AT_ONCE>();
        let (first_data, data) = data[..whole].as_rchunks::<AT_ONCE>();
        for (words, data) in words.iter().zip(data).rev() {
            words.iter().zip(data).rev().for_each(store);
        }
        first_words.iter().zip(first_data).rev().for_each(store);
    }

    /// Replaces the content by `length` bytes out of shared words, each word read once. The caller has checked the
    /// length. No capabilities.
    #[inline]
    pub(crate) fn copy_from(&mut self, words: &[AtomicU64; DATA_WORDS], length: u16) {
        self.clear_slots();
        self.length = length;
        let used = usize::from(length).div_ceil(8);
        // Relaxed: the acquire load of the state word came before.
        let load = |(chunk, word): (&mut [u8; 8], &AtomicU64)| {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        };
        let (words, last_words) = words[..used].as_chunks::<AT_ONCE>();
        let (data, last_data) = self.data.as_chunks_mut::<8>().0[..used].as_chunks_mut::<AT_ONCE>();
        for (data, words) in data.iter_mut().zip(words) {
            data.iter_mut().zip(words).for_each(load);
        }
        last_data.iter_mut().zip(last_words).for_each(load);
    }
}

impl Default for MsgBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MsgBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MsgBuf")
            .field("opcode", &self.opcode)
            .field("bytes", &self.length)
            .field("capabilities", &self.used)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_copy_holds_the_data_and_nothing_that_was_there_before() {
        let words: [AtomicU64; DATA_WORDS] = std::array::from_fn(|_| AtomicU64::new(0));
        for length in (0..=17).chain(MAX_DATA - 9..=MAX_DATA) {
            let mut message = MsgBuf::new();
            message.write(&[0xff; MAX_DATA]).unwrap();
            message.clear();
            message.write(&vec![0x5a; length]).unwrap();
            words.iter().for_each(|word| word.store(0, Ordering::Relaxed));
            message.copy_to(&words);
            let copied: Vec<u8> =
                words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
            assert!(copied[..length].iter().all(|byte| *byte == 0x5a), "{length}");
            assert!(copied[length..].iter().all(|byte| *byte == 0), "{length}");
        }
    }
}
