//! When a call is due, as its request says it: so that what it calls itself is not due later.
//!
//! A point on `CLOCK_MONOTONIC`, which the processes of a machine share unless they were given a time namespace of
//! their own. A duration would not do: the entrypoint does not know how long the request had waited for it.

use crate::deadline::Deadline;
use rustix::time::ClockId;
use std::time::Duration;

/// A point in time, in units of 64 µs modulo 2³²: good for a day and a half either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due(u32);

const UNIT: u64 = 64;
/// As far as two points can be apart and be told in order.
const LONGEST: u64 = (i32::MAX as u64) * UNIT;
/// The clock that is read within nanoseconds is behind by up to this, as the kernel is configured.
const COARSE: Duration = Duration::from_millis(10);

impl Due {
    /// No limit.
    pub(crate) const NEVER: Due = Due(0);

    /// When a call that starts now is due; never too late, and too early by a tenth of its time at most.
    #[inline]
    pub(crate) fn after(deadline: Deadline) -> Due {
        let Deadline::After(time) = deadline else { return Due::NEVER };
        let clock = if time < COARSE * 10 { ClockId::Monotonic } else { ClockId::MonotonicCoarse };
        let seconds = time.as_secs().min(LONGEST / 1_000_000);
        let time = (seconds * 1_000_000 + u64::from(time.subsec_micros())).min(LONGEST);
        Due::at(micros(clock) + time)
    }

    fn at(micros: u64) -> Due {
        #[allow(clippy::cast_possible_truncation)] // modulo 2³²
        let units = (micros / UNIT) as u32;
        // 0 is taken, and one unit earlier is not too late either.
        Due(if units == 0 { u32::MAX } else { units })
    }

    /// The time that is left.
    pub(crate) fn left(self) -> Deadline {
        self.left_at(micros(ClockId::Monotonic))
    }

    fn left_at(self, micros: u64) -> Deadline {
        if self == Due::NEVER {
            return Deadline::Never;
        }
        #[allow(clippy::cast_possible_truncation)] // modulo 2³²
        let now = micros.div_ceil(UNIT) as u32;
        let ahead = self.0.wrapping_sub(now).cast_signed();
        Deadline::After(Duration::from_micros(u64::try_from(ahead).unwrap_or(0) * UNIT))
    }

    pub(crate) fn encode(self) -> u32 {
        self.0
    }

    pub(crate) fn decode(word: u32) -> Due {
        Due(word)
    }
}

fn micros(clock: ClockId) -> u64 {
    let now = rustix::time::clock_gettime(clock);
    // A clock that counts from the start of the machine is not negative.
    now.tv_sec.cast_unsigned() * 1_000_000 + now.tv_nsec.cast_unsigned() / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_never_too_much() {
        for start in [0, 1, 63, 64, 1_000_000, (1 << 32) * UNIT - 5, u64::from(u32::MAX) * UNIT] {
            for time in [0, 1, 64, 1_000, 5_000_000, LONGEST] {
                let due = Due::at(start + time);
                for passed in [0, 1, 64, 999, 5_000_000] {
                    let Deadline::After(left) = due.left_at(start + passed) else { panic!("no limit") };
                    let exact = Duration::from_micros(time.saturating_sub(passed));
                    assert!(left <= exact, "{left:?} of {exact:?}");
                    assert!(exact - left <= Duration::from_micros(3 * UNIT), "{left:?} of {exact:?}");
                }
            }
        }
    }

    #[test]
    fn a_call_without_limit_leaves_no_limit() {
        assert_eq!(Due::after(Deadline::Never).left(), Deadline::Never);
        assert_eq!(Due::decode(Due::NEVER.encode()).left(), Deadline::Never);
    }
}
