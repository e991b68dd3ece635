//! How long operations took.

use hdrhistogram::Histogram;
use std::time::Duration;

/// Operations between two looks at the clock, at most.
const MOST_IN_A_GROUP: u64 = 16;
/// How long a group takes, if it can have so many: a look at the clock that costs some tens of nanoseconds is little then.
const GROUP: Duration = Duration::from_micros(2);

/// The times of many operations, in nanoseconds, to three digits, up to ten seconds: of single ones, and of groups, by the
/// operation.
///
/// A look at the clock holds the processor back until all before it is done, and some clocks tick every ten nanoseconds.
/// Of a short operation, alone between two looks, that is a good part. So the middle is that of groups, and single
/// ones tell how long the longest take.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    single: Histogram<u64>,
    grouped: Histogram<u64>,
}

impl Times {
    /// None yet.
    pub(crate) fn new() -> Times {
        const LONGEST: u64 = 10_000_000_000;
        let single = Histogram::new_with_bounds(1, LONGEST, 3);
        let single = single.expect("1 ns to 10 s with three digits are valid bounds");
        Times { grouped: single.clone(), single }
    }

    /// How many operations go into a group, if one takes so long.
    pub(crate) fn group(one: Duration) -> u64 {
        (nanoseconds(GROUP) / nanoseconds(one).max(1)).clamp(1, MOST_IN_A_GROUP)
    }

    /// A single operation, beside groups.
    pub(crate) fn record(&mut self, time: Duration) {
        self.single.saturating_record(nanoseconds(time));
    }

    /// A group of operations.
    pub(crate) fn record_group(&mut self, time: Duration, operations: u64) {
        let operations = operations.max(1);
        self.grouped.saturating_record_n(nanoseconds(time) / operations, operations);
    }

    /// Single operations that took so long each, and are groups of their own.
    pub(crate) fn record_all(&mut self, each: Duration, operations: u64) {
        self.single.saturating_record_n(nanoseconds(each), operations);
        self.grouped.saturating_record_n(nanoseconds(each), operations);
    }

    /// Those of others, too.
    pub(crate) fn add(&mut self, others: &Times) {
        // Fails only for times out of range, and all histograms here have the same.
        let _ = self.single.add(&others.single);
        let _ = self.grouped.add(&others.grouped);
    }

    /// Whether there is nothing to take a median of.
    pub(crate) fn is_empty(&self) -> bool {
        self.grouped.is_empty()
    }

    /// The time that half of all operations do not exceed.
    pub(crate) fn median(&self) -> u64 {
        self.grouped.value_at_quantile(0.5)
    }

    /// The time that this part of single operations do not exceed.
    pub(crate) fn quantile(&self, part: f64) -> u64 {
        self.single.value_at_quantile(part)
    }

    /// Each time that a single operation took, and how many took it.
    pub(crate) fn singles(&self) -> impl Iterator<Item = (u64, u64)> {
        self.single.iter_recorded().map(|time| (time.value_iterated_to(), time.count_at_value()))
    }
}

/// A duration as a number. None here is longer than 500 years.
fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_operations_are_measured_in_groups_and_long_ones_alone() {
        let sizes = [0, 10, 125, 500, 1_500, 5_000].map(|time| Times::group(Duration::from_nanos(time)));
        assert_eq!(sizes, [16, 16, 16, 4, 1, 1]);
    }

    #[test]
    fn the_middle_is_that_of_groups_and_the_rest_of_single_ones() {
        let mut times = Times::new();
        times.record(Duration::from_nanos(170));
        times.record_group(Duration::from_nanos(2_240), 16);
        assert_eq!((times.median(), times.quantile(0.99)), (140, 170));
        times.record_all(Duration::from_nanos(500), 40);
        assert_eq!((times.median(), times.quantile(0.99)), (500, 500));
        assert_eq!(times.singles().collect::<Vec<_>>(), [(170, 1), (500, 40)]);
    }
}
