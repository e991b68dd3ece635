//! How long to look before going to sleep.
//!
//! Waking a core that sleeps costs tens of microseconds, a message between two running cores a tenth of one. So it
//! pays to look for about as long as a wake costs (at worst twice the cost of the best choice: Karlin et al.,
//! "Competitive randomized algorithms for non-uniform problems", 1990), but only while the other side runs on
//! another core and lately answered in that time: with both on one core, each look delays the answer.

use rustix::thread::CpuSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What a waiting side does before it sleeps.
///
/// ```
/// use portcullis_ipc::{Pd, PdOptions, WaitPolicy};
///
/// let pd = Pd::with(PdOptions { wait: WaitPolicy::Block, ..PdOptions::default() })?;
/// # Ok::<_, portcullis_ipc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Looks for about as long as a wake costs, while that has paid off lately.
    #[default]
    Adaptive,
    /// Always looks, never sleeps (but for its deadline): for a core of one's own.
    Spin,
    /// Sleeps at once: for the least CPU time.
    Block,
}

/// A side's experience with looking, and its policy: for whoever waits for another process in a way of his own.
///
/// ```
/// use portcullis_ipc::{Patience, WaitPolicy};
///
/// assert_eq!(Patience::new(WaitPolicy::Block).turns(), 0, "it sleeps at once");
/// assert_eq!(Patience::new(WaitPolicy::Spin).turns(), u32::MAX, "it never sleeps");
/// ```
#[derive(Debug)]
pub struct Patience {
    policy: WaitPolicy,
    /// Above zero: looks that may still fail. Below: waits to pass before the next try.
    credit: AtomicI32,
    /// The peer's core as last heard.
    peer: AtomicU8,
    /// Our own core as last asked.
    own: AtomicU8,
    /// Waits in a row that found the peer on our own core.
    together: AtomicU32,
    /// So many of them before we leave the core.
    enough: AtomicU32,
}

const MOST_CREDIT: i32 = 4;
const WAITS_BETWEEN_TRIES: i32 = 32;
const ENOUGH_TOGETHER: u32 = 64;
const MOST_TOGETHER: u32 = 1 << 16;
/// A microsecond or so: longer than a round trip between two running cores, shorter than what an executor notices.
const MOMENTS_IN_A_WAKE: u32 = 64;

impl Patience {
    /// Of a side without any experience yet.
    #[must_use]
    pub fn new(policy: WaitPolicy) -> Patience {
        use crate::sys::core::{UNKNOWN_CORE, core};
        Patience {
            policy,
            credit: AtomicI32::new(MOST_CREDIT),
            peer: AtomicU8::new(UNKNOWN_CORE),
            own: AtomicU8::new(core()),
            together: AtomicU32::new(0),
            enough: AtomicU32::new(ENOUGH_TOGETHER),
        }
    }

    /// How many turns to look this time. `u32::MAX` means: do not sleep.
    #[inline]
    #[must_use]
    pub fn turns(&self) -> u32 {
        match self.policy {
            WaitPolicy::Spin => u32::MAX,
            WaitPolicy::Block => 0,
            WaitPolicy::Adaptive => {
                let same_core = self.peer.load(Ordering::Relaxed) == self.own.load(Ordering::Relaxed);
                if same_core || self.credit.load(Ordering::Relaxed) <= 0 { 0 } else { wake_turns() }
            }
        }
    }

    /// For how long a task should look this time, a [`moment`] whenever it is polled.
    pub(crate) fn time(&self) -> Duration {
        if self.turns() == 0 { Duration::ZERO } else { wake().time }
    }

    /// The answer came while looking.
    #[inline]
    pub fn paid_off(&self) {
        self.credit.store(MOST_CREDIT, Ordering::Relaxed);
    }

    /// The answer did not come while looking, or there was no look: we are about to sleep.
    pub fn did_not_pay_off(&self) {
        self.own.store(crate::sys::core::core(), Ordering::Relaxed);
        let credit = self.credit.load(Ordering::Relaxed);
        let next = match credit {
            1 => -WAITS_BETWEEN_TRIES,
            // The last wait before a try: one look may fail.
            0 | -1 => 1,
            more if more > 1 => more - 1,
            fewer => fewer + 1,
        };
        self.credit.store(next, Ordering::Relaxed);
    }

    /// We are about to sleep once more, and may run where we like: if peer and we keep meeting on one core, leave it.
    ///
    /// Schedulers put who wakes beside whoever woke it, and two that only ever wait for each other never look like
    /// too many for one core. Each attempt that did not last doubles the patience.
    pub fn keep_apart(&self) {
        let together = self.policy == WaitPolicy::Adaptive
            && self.peer.load(Ordering::Relaxed) == self.own.load(Ordering::Relaxed);
        if !together {
            self.together.store(0, Ordering::Relaxed);
            return;
        }
        let times = self.together.load(Ordering::Relaxed) + 1;
        let enough = self.enough.load(Ordering::Relaxed);
        self.together.store(times % enough, Ordering::Relaxed);
        if times >= enough {
            self.enough.store((enough * 2).min(MOST_TOGETHER), Ordering::Relaxed);
            crate::sys::core::leave_core();
            self.own.store(crate::sys::core::core(), Ordering::Relaxed);
        }
    }

    /// The peer said on which core it runs.
    #[inline]
    pub fn peer_on(&self, core: u8) {
        self.peer.store(core, Ordering::Relaxed);
    }

    /// The core to tell the peer: its number modulo 255, as it was when this side last went to sleep.
    #[inline]
    #[must_use]
    pub fn own_core(&self) -> u8 {
        self.own.load(Ordering::Relaxed)
    }
}

/// Turns of looking that take about as long as waking a sleeping core.
#[inline]
fn wake_turns() -> u32 {
    wake().turns
}

/// How many turns a task looks before others have theirs.
pub(crate) fn moment() -> u32 {
    wake_turns() / MOMENTS_IN_A_WAKE
}

/// What waking a sleeping core costs.
#[derive(Clone, Copy, Default)]
struct Wake {
    /// In turns of looking.
    turns: u32,
    time: Duration,
}

/// Measured once in a process.
#[inline]
fn wake() -> Wake {
    static WAKE: OnceLock<Wake> = OnceLock::new();
    *WAKE.get_or_init(measure)
}

fn measure() -> Wake {
    const TURNS: u32 = 1_000;
    let Some(wake) = wake_cost() else { return Wake::default() };
    let start = Instant::now();
    for _ in 0..TURNS {
        std::hint::spin_loop();
    }
    let turn = start.elapsed().max(Duration::from_nanos(1)) / TURNS;
    let turns = wake.as_nanos() / turn.as_nanos().max(1);
    // Between what pays at all and a tenth of a millisecond or so, whatever a noisy machine makes of it.
    let turns = u32::try_from(turns).unwrap_or(u32::MAX).clamp(500, 20_000);
    Wake { turns, time: turn * turns }
}

/// The median time from waking a thread that sleeps on another core until it runs, or a guess if there is no thread to
/// try it with; `None` if there is no other core for us.
fn wake_cost() -> Option<Duration> {
    const ROUNDS: usize = 7;
    const GUESS: Duration = Duration::from_micros(20);
    let here = rustix::thread::sched_getcpu();
    let (to_sleeper, naps) = std::sync::mpsc::sync_channel::<Instant>(0);
    let sleeper = std::thread::Builder::new().spawn(move || {
        let mut elsewhere = CpuSet::new();
        (0..CpuSet::MAX_CPU).filter(|core| *core != here).for_each(|core| elsewhere.set(core));
        // Refused if that leaves no core: the caller may be bound to one, and still have peers on another.
        rustix::thread::sched_setaffinity(None, &elsewhere).ok()?;
        let mut costs: Vec<Duration> = naps.iter().map(|sent| sent.elapsed()).collect();
        costs.sort_unstable();
        costs.get(costs.len() / 2).copied()
    });
    let Ok(sleeper) = sleeper else {
        return std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1).then_some(GUESS);
    };
    for _ in 0..ROUNDS {
        // Long enough for the sleeper to be asleep, which is what is measured.
        std::thread::sleep(Duration::from_micros(100));
        if to_sleeper.send(Instant::now()).is_err() {
            break;
        }
    }
    drop(to_sleeper);
    sleeper.join().ok().flatten()
}
