//! Two ways to do a thing, measured in turns in the same processes.

use crate::component::interface::Component;
use crate::error::Error;
use crate::meter::{self, Length, cpu_time, measure, measure_all};
use crate::process::Process;
use crate::report::row::Row;
use crate::times::Times;

/// One way to do it.
pub(crate) trait Side {
    /// Before a block of operations.
    fn enter(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// One operation.
    fn operate(&mut self) -> Result<(), Error>;

    /// After a block.
    fn leave(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// How many pairs of blocks, and how long each block is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) pairs: u32,
    pub(crate) block: Block,
}

/// How long a block is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block {
    Time(Length),
    /// All of them are recorded.
    Operations(u64),
}

/// What one side came to.
#[derive(Debug)]
pub(crate) struct Tally {
    /// All recorded times.
    pub(crate) times: Times,
    operations: u64,
    cpu_time: u64,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally { times: Times::new(), operations: 0, cpu_time: 0 }
    }

    /// Adds the operations of a block.
    pub(crate) fn add(&mut self, times: &Times, operations: u64, cpu_time: u64) {
        self.times.add(times);
        self.operations += operations;
        self.cpu_time += cpu_time;
    }

    /// The CPU time of an operation, on all sides together, in nanoseconds.
    pub(crate) fn cpu_time_each(&self) -> u64 {
        self.cpu_time / self.operations.max(1)
    }
}

/// Ours beside the floor.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) ours: Tally,
    pub(crate) floor: Tally,
    /// Of each pair of blocks: our median by the floor's, in ascending order.
    pub(crate) ratios: Vec<f64>,
    /// What a look at the clock adds to the time of an operation alone, on both sides, in nanoseconds.
    pub(crate) clock: u64,
}

impl Comparison {
    /// The median over the pairs of blocks.
    pub(crate) fn ratio(&self) -> f64 {
        self.ratios.get(self.ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The row of a case of a benchmark.
    pub(crate) fn row(&self, bench: &'static str, case: String, floor: &'static str) -> Row {
        Row {
            bench,
            case,
            ours_p50_ns: self.ours.times.median(),
            ours_p99_ns: self.ours.times.quantile(0.99),
            floor,
            floor_p50_ns: self.floor.times.median(),
            ratio: rounded(self.ratio()),
            ratio_min: rounded(self.ratios.first().copied().unwrap_or(f64::NAN)),
            ratio_max: rounded(self.ratios.last().copied().unwrap_or(f64::NAN)),
            blocks: u32::try_from(self.ratios.len()).unwrap_or(u32::MAX),
            floor_p99_ns: self.floor.times.quantile(0.99),
            ours_cpu_ns: self.ours.cpu_time_each(),
            floor_cpu_ns: self.floor.cpu_time_each(),
            clock_ns: self.clock,
            ..Row::default()
        }
    }
}

/// Measures both sides in turns. The first pair is a warm-up and not counted. The CPU time is that of this process and
/// of the others that are named.
pub(crate) fn compare(
    plan: Plan,
    others: &[&Process],
    ours: &mut impl Side,
    floor: &mut impl Side,
) -> Result<Comparison, Error> {
    warm_up(plan, others, ours, floor)?;
    alternate(plan, others, ours, floor, &mut |_| ())
}

/// One pair of blocks that is not counted.
pub(crate) fn warm_up(
    plan: Plan,
    others: &[&Process],
    ours: &mut impl Side,
    floor: &mut impl Side,
) -> Result<(), Error> {
    block(plan, others, ours, &mut Tally::new())?;
    block(plan, others, floor, &mut Tally::new())?;
    Ok(())
}

/// Measures both sides in turns. Between two pairs of blocks it says how many there were.
pub(crate) fn alternate(
    plan: Plan,
    others: &[&Process],
    ours: &mut impl Side,
    floor: &mut impl Side,
    say: &mut dyn FnMut(u32),
) -> Result<Comparison, Error> {
    let mut comparison =
        Comparison { ours: Tally::new(), floor: Tally::new(), ratios: Vec::new(), clock: meter::cost()? };
    for pair in 0..plan.pairs {
        say(pair);
        let ours = block(plan, others, ours, &mut comparison.ours)?;
        let floor = block(plan, others, floor, &mut comparison.floor)?;
        comparison.ratios.push(ratio(ours, floor));
    }
    comparison.ratios.sort_by(f64::total_cmp);
    Ok(comparison)
}

/// The CPU time that this process and the others have used so far, in nanoseconds.
fn cpu_time_of_all(others: &[&Process]) -> Result<u64, Error> {
    others.iter().try_fold(cpu_time(), |sum, other| Ok(sum + other.component().cpu_time()?))
}

/// To four digits: more than that would be noise.
pub(crate) fn rounded(ratio: f64) -> f64 {
    format!("{ratio:.3e}").parse().unwrap_or(ratio)
}

/// The ratio of two times.
pub(crate) fn ratio(ours: u64, floor: u64) -> f64 {
    ours as f64 / floor.max(1) as f64
}

/// One block; answers its median.
fn block(plan: Plan, others: &[&Process], side: &mut impl Side, tally: &mut Tally) -> Result<u64, Error> {
    let mut times = Times::new();
    let before = cpu_time_of_all(others)?;
    side.enter()?;
    let operations = match plan.block {
        Block::Time(length) => measure(length, &mut times, || side.operate())?,
        Block::Operations(count) => measure_all(count, &mut times, || side.operate()).map(|()| count)?,
    };
    side.leave()?;
    let after = cpu_time_of_all(others)?;
    tally.add(&times, operations, after - before);
    Ok(times.median())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_tally_pools_its_blocks() {
        let mut tally = Tally::new();
        for time in [100, 300] {
            let mut times = Times::new();
            times.record_all(Duration::from_nanos(time), 50);
            tally.add(&times, 100, 10_000);
        }
        assert_eq!(
            (tally.times.quantile(0.25), tally.times.quantile(0.75), tally.cpu_time_each()),
            (100, 300, 100)
        );
    }

    #[test]
    fn ratios_have_four_digits() {
        let told = [1.234_56, 0.000_123_456, 98_764.0, 0.0].map(rounded);
        assert_eq!(told, [1.235, 0.000_123_5, 98_760.0, 0.0]);
        assert!(rounded(f64::NAN).is_nan());
    }

    #[test]
    fn the_ratio_is_the_median_over_the_blocks() {
        let (ours, floor) = (Tally::new(), Tally::new());
        let comparison = Comparison { ours, floor, ratios: vec![1.0, 1.25, 9.0], clock: 0 };
        assert_eq!(comparison.ratio(), 1.25);
        assert_eq!(ratio(3, 2), 1.5);
    }
}
