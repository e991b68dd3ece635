//! The client's private side of a lane.

use super::reference::HeldRow;
use crate::protocol::lane_queue::{self, LaneQueue};
use crate::wait_policy::{Patience, WaitPolicy};
use crate::wire::layout::SLOTS;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Who uses a lane and how its last calls went.
#[derive(Debug)]
pub(crate) struct Lane {
    taken: AtomicBool,
    sequence: AtomicU32,
    /// Bytes of data of the last request.
    length: AtomicU16,
    pub(crate) patience: Patience,
    /// The arguments of a call that was cancelled, those that are rows: the server may still look them up.
    held: Mutex<heapless::Vec<HeldRow, SLOTS>>,
}

impl Lane {
    pub(crate) fn new(policy: WaitPolicy) -> Lane {
        Lane {
            taken: AtomicBool::new(false),
            sequence: AtomicU32::new(0),
            length: AtomicU16::new(0),
            patience: Patience::new(policy),
            held: Mutex::default(),
        }
    }

    /// Takes it, if it is free.
    #[inline]
    pub(crate) fn take(&self) -> bool {
        lane_queue::take(&self.taken)
    }

    /// The sequence of the next call. Only for who holds the lane.
    #[inline]
    pub(crate) fn next_sequence(&self) -> u32 {
        let next = self.sequence().wrapping_add(1);
        self.sequence.store(next, Ordering::Relaxed);
        next
    }

    /// The sequence of the call under way.
    #[inline]
    pub(crate) fn sequence(&self) -> u32 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// How long its requests are lately. Only for who holds the lane.
    #[inline]
    pub(crate) fn length(&self) -> u16 {
        self.length.load(Ordering::Relaxed)
    }

    /// The next request is so long. Only for who holds the lane.
    #[inline]
    pub(crate) fn set_length(&self, length: u16) {
        self.length.store(length, Ordering::Relaxed);
    }

    /// Gives it back, to those who wait for a lane if there are any.
    #[inline]
    pub(crate) fn free(&self, queue: &LaneQueue) {
        queue.free(&self.taken);
    }

    /// Keeps the arguments of a cancelled call until its lane comes back.
    pub(crate) fn hold(&self, arguments: impl Iterator<Item = HeldRow>) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).extend(arguments);
    }

    /// The arguments of a cancelled call, which need not be held any more.
    pub(crate) fn let_go(&self) -> heapless::Vec<HeldRow, SLOTS> {
        std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
