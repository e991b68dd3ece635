//! Rows on their way back to their entrypoint.

use crate::protocol::release_ring::{Release, Ring};
use std::collections::VecDeque;

/// What is to be given back; bounded by the rows that we hold.
#[derive(Debug, Default)]
pub(crate) struct Releases {
    head: u64,
    /// What the ring had no room for, in order.
    waiting: VecDeque<Release>,
}

impl Releases {
    /// Puts a release into the ring or behind those that wait for room. Answers whether the server should look.
    pub(crate) fn push(&mut self, release: Release, ring: Ring<'_>) -> bool {
        self.flush(ring);
        if !self.waiting.is_empty() || !ring.push(&mut self.head, release) {
            self.waiting.push_back(release);
        }
        !self.waiting.is_empty() || ring.half_full(self.head)
    }

    /// Whether some had no room.
    pub(crate) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Moves what waits into the ring, as far as there is room.
    pub(crate) fn flush(&mut self, ring: Ring<'_>) {
        while let Some(release) = self.waiting.front() {
            if !ring.push(&mut self.head, *release) {
                return;
            }
            self.waiting.pop_front();
        }
    }
}
