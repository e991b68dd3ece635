//! A side of a packet stream that keeps to no rules: it maps the dataspace by itself and writes into it what it likes. It uses
//! nothing of the library, and knows the layout from `docs/packet-stream.md`.

use super::Failure;
use crate::villain::memory::Memory;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

/// Words of the dataspace, for control fields of 4 bytes.
pub mod words {
    /// What the source attends to; its bell is the next word.
    pub const SOURCE: usize = 16;
    /// The same of the sink.
    pub const SINK: usize = 2 * 16;
    /// How many packets were ever submitted.
    pub const SUBMIT_PUT: usize = 3 * 16;
    /// How many of them were ever taken.
    pub const SUBMIT_TAKEN: usize = 4 * 16;
    /// How many acknowledgements were ever put.
    pub const ACKNOWLEDGE_PUT: usize = 5 * 16;
    /// How many of them were ever taken.
    pub const ACKNOWLEDGE_TAKEN: usize = 6 * 16;
    /// Where the submit queue begins.
    pub const SUBMIT: usize = 7 * 16;
    /// The words of an entry.
    pub const ENTRY: usize = 2;
}

/// The dataspace as a villain sees it.
#[derive(Debug)]
pub struct Raw {
    memory: Memory,
    submit: usize,
    acknowledge: usize,
}

/// A region as entries have it.
#[must_use]
pub fn region(offset: u32, size: u32) -> u64 {
    u64::from(offset) | u64::from(size) << 32
}

impl Raw {
    /// Maps a dataspace with queues of these lengths.
    ///
    /// # Errors
    /// What the system says.
    pub fn map(file: &OwnedFd, submit: usize, acknowledge: usize) -> Result<Raw, Failure> {
        let bytes = usize::try_from(rustix::fs::fstat(file)?.st_size)?;
        Ok(Raw { memory: Memory::map(file, bytes)?, submit, acknowledge })
    }

    /// Puts an entry into the submit queue.
    pub fn submit(&self, region: u64, control: u64) {
        self.put(words::SUBMIT_PUT, words::SUBMIT, self.submit, region, control);
        self.wake(words::SINK);
    }

    /// Puts an entry into the queue of acknowledgements.
    pub fn acknowledge(&self, region: u64, control: u64) {
        let entries = (words::SUBMIT + self.submit * words::ENTRY).next_multiple_of(16);
        self.put(words::ACKNOWLEDGE_PUT, entries, self.acknowledge, region, control);
        self.wake(words::SOURCE);
    }

    /// Submits what the queue has room for, takes all acknowledgements, and tells nobody.
    pub fn flood(&self) {
        let queue = self.submit as u64;
        for number in self.load(words::SUBMIT_PUT)..self.load(words::SUBMIT_TAKEN) + queue {
            // Not where the sink may still have one.
            let place = u32::try_from(number % (2 * queue)).unwrap_or(0);
            self.put(words::SUBMIT_PUT, words::SUBMIT, self.submit, region(place * 64, 64), number);
        }
        self.store(words::ACKNOWLEDGE_TAKEN, self.load(words::ACKNOWLEDGE_PUT));
    }

    fn put(&self, count: usize, entries: usize, length: usize, region: u64, control: u64) {
        let put = self.memory.load(count);
        let place = entries + usize::try_from(put).unwrap_or(0) % length * words::ENTRY;
        self.memory.store(place, region);
        self.memory.store(place + 1, control);
        self.memory.store(count, put.wrapping_add(1));
    }

    /// The entry that was submitted first.
    #[must_use]
    pub fn first_submitted(&self) -> u64 {
        self.memory.load(words::SUBMIT)
    }

    /// A word.
    #[must_use]
    pub fn load(&self, word: usize) -> u64 {
        self.memory.load(word)
    }

    /// Writes a word.
    pub fn store(&self, word: usize, value: u64) {
        self.memory.store(word, value);
    }

    /// All words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.memory.words().len()
    }

    /// Never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rings a party's bell, whether it sleeps or not.
    pub fn wake(&self, party: usize) {
        self.memory.words()[party + 1].fetch_add(1, Ordering::SeqCst);
        self.memory.wake(party + 1);
    }
}
