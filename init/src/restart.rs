//! How often a component is started anew: the restart intensity, as supervisors of OTP have it.
//!
//! Each crash is remembered for a period. As long as no more than `intensity` of them are remembered, the component is
//! started anew; with the one after that it stays stopped and its parent is told. So what crashes for good costs a
//! bounded number of starts, and what crashes now and then is always there again.
//!
//! Source: the supervisor of Erlang/OTP, "Maximum Restart Intensity". As there, a crash that is exactly one period old
//! still counts.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// How many crashes within how much time a component may have.
///
/// ```
/// use portcullis_init::Intensity;
///
/// assert_eq!(Intensity::default(), Intensity::NEVER, "who is not to be started anew says nothing");
/// assert_eq!(Intensity::OTP.to_string(), "1 within 5s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Intensity {
    /// How many crashes within the period it is started anew after. With the next it stays stopped.
    pub crashes: u32,
    /// How long a crash counts.
    pub period: Duration,
}

impl Intensity {
    /// The first crash is the last.
    pub const NEVER: Intensity = Intensity { crashes: 0, period: Duration::from_secs(5) };
    /// What OTP has where nothing is said.
    pub const OTP: Intensity = Intensity { crashes: 1, period: Duration::from_secs(5) };
}

impl Default for Intensity {
    fn default() -> Intensity {
        Intensity::NEVER
    }
}

impl fmt::Display for Intensity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} within {:?}", self.crashes, self.period)
    }
}

/// What becomes of a component that has crashed.
///
/// ```
/// # use portcullis_init::{Intensity, Restarts, Verdict};
/// # use std::time::Duration;
/// assert_eq!(Restarts::new(Intensity::NEVER).crashed(Duration::ZERO), Verdict::GiveUp { crashes: 1 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is started anew.
    Restart,
    /// It stays stopped, and its parent is told.
    GiveUp {
        /// How many crashes within the period there were, the last one included.
        crashes: usize,
    },
}

/// The crashes of one component that still count.
///
/// The time is whatever the caller's clock says, as a span since some moment of its own; what goes backwards counts as no
/// time at all. At most `intensity + 1` moments are remembered.
///
/// ```
/// use portcullis_init::{Intensity, Restarts, Verdict};
/// use std::time::Duration;
///
/// let mut restarts = Restarts::new(Intensity::OTP);
/// assert_eq!(restarts.crashed(Duration::from_secs(10)), Verdict::Restart);
/// assert_eq!(restarts.crashed(Duration::from_secs(16)), Verdict::Restart, "the first counts no more");
/// assert_eq!(restarts.crashed(Duration::from_secs(18)), Verdict::GiveUp { crashes: 2 });
/// ```
#[derive(Clone, Debug)]
pub struct Restarts {
    intensity: Intensity,
    crashes: VecDeque<Duration>,
    given_up: bool,
}

impl Restarts {
    /// Of a component that has not crashed yet.
    #[must_use]
    pub fn new(intensity: Intensity) -> Restarts {
        Restarts { intensity, crashes: VecDeque::new(), given_up: false }
    }

    /// It has crashed, now. Who was given up stays so: it is no child any more that could crash.
    pub fn crashed(&mut self, now: Duration) -> Verdict {
        if self.given_up {
            return Verdict::GiveUp { crashes: self.crashes.len() };
        }
        let now = self.crashes.back().map_or(now, |last| now.max(*last));
        self.crashes.push_back(now);
        while self.crashes.front().is_some_and(|crash| now - *crash > self.intensity.period) {
            self.crashes.pop_front();
        }
        let allowed = usize::try_from(self.intensity.crashes).unwrap_or(usize::MAX);
        self.given_up = self.crashes.len() > allowed;
        if self.given_up { Verdict::GiveUp { crashes: self.crashes.len() } } else { Verdict::Restart }
    }

    /// Whether it stays stopped.
    #[must_use]
    pub fn given_up(&self) -> bool {
        self.given_up
    }

    /// Another intensity from now on, as after a reconfiguration. The crashes so far count on, and who was given up
    /// stays so.
    pub fn set(&mut self, intensity: Intensity) {
        self.intensity = intensity;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn attack_47_crash_loop_ends_with_the_crash_after_the_intensity() {
        for crashes in [0, 1, 3, 50] {
            let mut restarts = Restarts::new(Intensity { crashes, period: 5 * SECOND });
            let verdicts: Vec<Verdict> = (0..=crashes).map(|_| restarts.crashed(7 * SECOND)).collect();
            let (last, before) = verdicts.split_last().unwrap();
            assert!(before.iter().all(|verdict| *verdict == Verdict::Restart));
            assert_eq!(*last, Verdict::GiveUp { crashes: verdicts.len() });
            assert_eq!(restarts.crashed(1000 * SECOND), *last, "it stays so");
            assert!(restarts.given_up());
        }
    }

    #[test]
    fn a_crash_counts_for_exactly_one_period() {
        let nanosecond = Duration::from_nanos(1);
        for (later, gives_up) in [(5 * SECOND, true), (5 * SECOND + nanosecond, false)] {
            let mut restarts = Restarts::new(Intensity::OTP);
            assert_eq!(restarts.crashed(SECOND), Verdict::Restart);
            assert_eq!(restarts.crashed(SECOND + later) == Verdict::GiveUp { crashes: 2 }, gives_up);
        }
    }

    #[test]
    fn a_clock_that_goes_backwards_forgives_nothing() {
        let mut restarts = Restarts::new(Intensity::OTP);
        assert_eq!(restarts.crashed(100 * SECOND), Verdict::Restart);
        assert_eq!(restarts.crashed(Duration::ZERO), Verdict::GiveUp { crashes: 2 });
    }

    #[test]
    fn another_intensity_holds_from_the_next_crash_on() {
        let mut restarts = Restarts::new(Intensity { crashes: 2, period: 5 * SECOND });
        assert_eq!(restarts.crashed(SECOND), Verdict::Restart);
        restarts.set(Intensity::OTP);
        assert!(!restarts.given_up());
        assert_eq!(restarts.crashed(SECOND), Verdict::GiveUp { crashes: 2 });
    }

    proptest! {
        /// Beside a history that forgets nothing.
        #[test]
        fn does_what_a_full_history_says(
            crashes in 0_u32..6,
            period in 1_u64..40,
            steps in prop::collection::vec(0_u64..30, 1..60),
        ) {
            let period = Duration::from_millis(period);
            let mut restarts = Restarts::new(Intensity { crashes, period });
            let (mut history, mut now) = (Vec::new(), Duration::ZERO);
            for step in steps {
                now += Duration::from_millis(step);
                history.push(now);
                let within = history.iter().filter(|crash| **crash + period >= now).count();
                let verdict = restarts.crashed(now);
                prop_assert!(restarts.crashes.len() <= crashes as usize + 1);
                if within > crashes as usize {
                    prop_assert_eq!(verdict, Verdict::GiveUp { crashes: within });
                    break;
                }
                prop_assert_eq!(verdict, Verdict::Restart);
            }
        }
    }
}
