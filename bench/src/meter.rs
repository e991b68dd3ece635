//! Measures one block of operations.

use crate::error::Error;
use crate::times::Times;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// How long a block is, and how much of its beginning is not recorded: the caches and the waiting sides must get used
/// to the change first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    pub(crate) whole: Duration,
    pub(crate) unrecorded: Duration,
}

/// Carries out an operation so often; puts the time of each into `times`.
pub(crate) fn measure_all(
    operations: u64,
    times: &mut Times,
    mut operation: impl FnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    let mut last = Instant::now();
    for _ in 0..operations {
        operation()?;
        let now = Instant::now();
        times.record_all(now - last, 1);
        last = now;
    }
    Ok(())
}

/// Carries out an operation over and over; answers how often, and puts into `times` how long it took: by turns, one
/// operation alone and a group of them, from the end of what was before until its own end.
///
/// At least one is recorded, however long that takes.
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
    let mut group = 1;
    let mut alone = true;
    loop {
        let operations = if alone { 1 } else { group };
        for _ in 0..operations {
            operation()?;
        }
        count += operations;
        let now = Instant::now();
        let time = now - last;
        if alone {
            group = Times::group(time);
        }
        if last >= record_from {
            match (alone, group) {
                (true, 1) => times.record_all(time, 1),
                (true, _) => times.record(time),
                (false, _) => times.record_group(time, operations),
            }
        }
        if now >= end && !times.is_empty() {
            return Ok(count);
        }
        alone = !alone || group == 1;
        last = now;
    }
}

/// What a look at the clock adds to the time of an operation alone: half of all that do nothing are faster.
pub(crate) fn cost() -> Result<u64, Error> {
    let mut times = Times::new();
    let length = Length { whole: Duration::from_millis(2), unrecorded: Duration::from_millis(1) };
    measure(length, &mut times, || Ok(()))?;
    Ok(times.quantile(0.5))
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
