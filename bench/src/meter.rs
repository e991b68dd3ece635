//! Measures one block of operations.

use crate::error::Error;
use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// Times in nanoseconds, to three digits, up to ten seconds.
pub(crate) type Times = Histogram<u64>;

/// An empty histogram.
pub(crate) fn times() -> Times {
    const LONGEST: u64 = 10_000_000_000;
    Histogram::new_with_bounds(1, LONGEST, 3).expect("1 ns to 10 s with three digits are valid bounds")
}

/// How long a block is, and how much of its beginning is not recorded: the caches and the waiting sides must get used
/// to the change first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    pub(crate) whole: Duration,
    pub(crate) unrecorded: Duration,
}

/// Carries out an operation so often; puts the time of each into `times`, as [`measure`] does.
pub(crate) fn measure_all(
    operations: u64,
    times: &mut Times,
    mut operation: impl FnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    let mut last = Instant::now();
    for _ in 0..operations {
        operation()?;
        let now = Instant::now();
        times.saturating_record(nanoseconds(now - last));
        last = now;
    }
    Ok(())
}

/// Carries out an operation over and over; answers how often, and puts the time of each into `times`.
///
/// The time of an operation is that from the end of the one before until its own end: one look at the clock each. At
/// least one operation is recorded, however long that takes.
#[inline]
pub(crate) fn measure(
    length: Length,
    times: &mut Times,
    mut operation: impl FnMut() -> Result<(), Error>,
) -> Result<u64, Error> {
    let start = Instant::now();
    let (record_from, end) = (start + length.unrecorded, start + length.whole);
    let mut last = start;
    let mut count = 0;
    loop {
        operation()?;
        count += 1;
        let now = Instant::now();
        if last >= record_from {
            times.saturating_record(nanoseconds(now - last));
        }
        if now >= end && !times.is_empty() {
            return Ok(count);
        }
        last = now;
    }
}

/// What [`measure`] itself takes for each operation: half of all operations that do nothing are faster.
pub(crate) fn cost() -> Result<u64, Error> {
    let mut times = times();
    let length = Length { whole: Duration::from_millis(2), unrecorded: Duration::from_millis(1) };
    measure(length, &mut times, || Ok(()))?;
    Ok(times.value_at_quantile(0.5))
}

/// The CPU time that this process has used, user and system, in nanoseconds.
pub(crate) fn cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// How many descriptors this process has open.
pub(crate) fn descriptors() -> Result<u32, Error> {
    let open = std::fs::read_dir("/proc/self/fd").map_err(Error::io("open(/proc/self/fd)"))?;
    // One of them is that of the folder itself.
    Ok(u32::try_from(open.count().saturating_sub(1)).unwrap_or(u32::MAX))
}

/// The time since the system's start, in nanoseconds: the same for all processes.
pub(crate) fn system_time() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// A duration as a number. None here is longer than 500 years.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}
