//! Holding up a thread at random places, so that it meets others in all states.

use std::time::Duration;

/// A source of random numbers that can be had again (xorshift64*: Vigna, "An experimental exploration of Marsaglia's
/// xorshift generators, scrambled", 2016), and of stalls.
#[derive(Clone, Debug)]
pub struct Stalls(u64);

impl Stalls {
    /// Those of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Stalls {
        // Zero stays zero.
        Stalls(seed | 1)
    }

    /// A number below the limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % limit.max(1)
    }

    /// Perhaps sleeps, perhaps lets others run, perhaps spins; mostly does nothing. Nothing depends on how long that takes.
    pub fn stall(&mut self) {
        match self.below(2_048) {
            0 => std::thread::sleep(Duration::from_micros(self.below(200))),
            1..4 => std::thread::yield_now(),
            4..8 => (0..self.below(2_000)).for_each(|_| std::hint::spin_loop()),
            _ => {}
        }
    }
}
