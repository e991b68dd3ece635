//! A ring of slots for one who puts and one who takes, who trust each other.
#![allow(unsafe_code)]

use crate::error::Error;
use crate::idle::Idle;
use portcullis_shm::Attachment;
use std::sync::atomic::{AtomicU64, Ordering};

/// The words are on lines of their own, before the first slot.
const HEAD: usize = 4096;
const LINE: usize = 128;
/// How many packets were ever put.
const PUT: usize = 0;
/// How many were ever taken.
const TAKEN: usize = 1;

/// The measures of a ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// A power of two.
    pub(crate) slots: usize,
    /// The bytes of a slot: all packets are as long.
    pub(crate) size: usize,
    /// After so many packets a count moves: a power of two.
    pub(crate) batch: usize,
}

impl Shape {
    /// The memory that it takes, in bytes.
    pub(crate) fn bytes(self) -> usize {
        HEAD + self.slots * self.size
    }
}

/// One end of it. Both ends run the same program and keep to the counts: a slot is used only by the side that they say.
pub(crate) struct Ring {
    /// Where the memory begins, which is mapped for as long as this is here.
    base: *mut u8,
    _memory: Attachment,
    shape: Shape,
    /// How far this end is, and how far the other one was when last looked at.
    own: usize,
    other: usize,
}

impl Ring {
    /// One end of the ring in this memory, which is new. Each end is made once.
    pub(crate) fn new(memory: Attachment, shape: Shape) -> Result<Ring, Error> {
        let powers = shape.slots.is_power_of_two() && shape.batch.is_power_of_two();
        if memory.len() < shape.bytes() || !powers || !memory.is_writable() {
            return Err(Error::Misunderstood("the memory of a ring"));
        }
        Ok(Ring { base: memory.as_ptr(), _memory: memory, shape, own: 0, other: 0 })
    }

    #[inline]
    fn word(&self, which: usize) -> &AtomicU64 {
        let word = self.base.wrapping_add(which * LINE);
        // SAFETY:
        // - valid: `which` is `PUT` or `TAKEN`, whose lines lie before the slots and so within the memory (`new`), which is
        //   mapped for as long as `self`;
        // - aligned: what is attached starts on a page;
        // - shared writes: both ends access it by atomics of this size alone.
        unsafe { AtomicU64::from_ptr(word.cast()) }
    }

    #[inline]
    fn count(&self, which: usize) -> usize {
        // Acquire: what the other end did with the slots; pairs with the release in `step`.
        usize::try_from(self.word(which).load(Ordering::Acquire)).unwrap_or(usize::MAX)
    }

    #[inline]
    fn slot(&self) -> *mut [u8] {
        let place = HEAD + (self.own & (self.shape.slots - 1)) * self.shape.size;
        std::ptr::slice_from_raw_parts_mut(self.base.wrapping_add(place), self.shape.size)
    }

    /// Goes over a slot, and shows that where it is time, or the last one.
    #[inline]
    fn step(&mut self, which: usize, last: bool) {
        self.own += 1;
        if self.own & (self.shape.batch - 1) == 0 || last {
            // Release: what was done with the slots; pairs with the acquire in `count`.
            self.word(which).store(self.own as u64, Ordering::Release);
        }
    }

    /// Puts so many packets, and waits until all of them were taken.
    #[inline]
    pub(crate) fn put(
        &mut self,
        packets: usize,
        mut fill: impl FnMut(usize, &mut [u8]),
        go_on: impl FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut idle = Idle::new(go_on);
        for number in 0..packets {
            while self.own - self.other == self.shape.slots {
                self.other = self.count(TAKEN);
                idle.look()?;
            }
            idle.found();
            // SAFETY: within the memory; nobody else uses the slot: the other end has taken what was in it, as the count said, and
            // comes back to it when ours has moved.
            fill(number, unsafe { &mut *self.slot() });
            self.step(PUT, number + 1 == packets);
        }
        while self.other != self.own {
            self.other = self.count(TAKEN);
            idle.look()?;
        }
        Ok(())
    }

    /// Takes so many packets.
    #[inline]
    pub(crate) fn take(
        &mut self,
        packets: usize,
        mut look: impl FnMut(&[u8]),
        go_on: impl FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut idle = Idle::new(go_on);
        for number in 0..packets {
            while self.own == self.other {
                self.other = self.count(PUT);
                idle.look()?;
            }
            idle.found();
            // SAFETY: within the memory; nobody writes the slot: the other end has put a packet into it, as the count said, and
            // comes back to it when ours has moved.
            look(unsafe { &*self.slot() });
            self.step(TAKEN, number + 1 == packets);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};

    #[test]
    fn what_is_put_is_taken_in_order_with_either_batch() {
        for batch in [1, 4] {
            let shape = Shape { slots: 8, size: 64, batch };
            let ram = RamAllocator::new(&RamAccount::new(RamQuota::mib(1)));
            let dataspace = ram.alloc(shape.bytes()).unwrap();
            let end = || Ring::new(dataspace.attach(Window::WHOLE).unwrap(), shape).unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut one = end();
                    for _ in 0..2 {
                        let fill = |number: usize, slot: &mut [u8]| slot.fill(number.to_le_bytes()[0]);
                        one.put(101, fill, || Ok(())).unwrap();
                    }
                });
                let mut other = end();
                for _ in 0..2 {
                    let mut next = 0;
                    let look = |slot: &[u8]| {
                        assert_eq!(slot, [next; 64]);
                        next += 1;
                    };
                    other.take(101, look, || Ok(())).unwrap();
                    assert_eq!(next, 101);
                }
            });
        }
    }

    #[test]
    fn memory_that_is_too_small_is_refused() {
        let ram = RamAllocator::new(&RamAccount::new(RamQuota::mib(1)));
        let memory = ram.alloc(4096).unwrap().attach(Window::WHOLE).unwrap();
        assert!(matches!(
            Ring::new(memory, Shape { slots: 8, size: 64, batch: 1 }),
            Err(Error::Misunderstood(_))
        ));
    }
}
