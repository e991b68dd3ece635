//! The cases.

use super::access::Access;
use super::load::{Load, Through, Way};
use super::payload::sum;
use super::source::{Setting, Slots, Stream};
use crate::alternation::{Block, Comparison, Plan, compare, rounded};
use crate::component::interface::Component;
use crate::error::Error;
use crate::options::Options;
use crate::process::{Process, SharedMemory};
use crate::report::row::Row;
use portcullis_ipc::Doorbell;
use portcullis_packet_stream::{Guarded, Trusting};
use portcullis_shm::{RamAccount, RamAllocator, RamQuota};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The sizes of the packets, in bytes.
const SIZES: [u32; 5] = [64, 1024, 4096, 65_536, 1_048_576];
/// The pairs of blocks, at least.
const FEWEST: u32 = 6;
/// How often one process alone reads everything.
const READINGS: usize = 7;

/// One case of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Case(Load);

impl Case {
    pub(super) fn all() -> impl Iterator<Item = Case> {
        let ways = [Way::AllBytes, Way::Trusted, Way::Header];
        ways.into_iter().flat_map(|way| SIZES.map(|size| Case(Load { way, size })))
    }

    pub(super) fn name(self) -> String {
        let way = match self.0.way {
            Way::AllBytes => "all-bytes",
            Way::Trusted => "trusted",
            Way::Header => "header",
        };
        format!("{way}/{}", self.0.size)
    }

    /// What its rate is at least, by that of the floor.
    fn budget(self) -> Option<f64> {
        match (self.0.way, self.0.size) {
            (Way::AllBytes, 4096..) => Some(0.75),
            (Way::AllBytes, _) => Some(0.8),
            (Way::Trusted, 4096..) => Some(0.95),
            (Way::Trusted | Way::Header, _) => None,
        }
    }

    /// Measures it, with the other process on that core.
    pub(super) fn run(self, options: &Options, core: usize) -> Result<Row, Error> {
        match self.0.way {
            Way::AllBytes | Way::Header => self.run_as::<Guarded>(options, core),
            Way::Trusted => self.run_as::<Trusting>(options, core),
        }
    }

    fn run_as<T: Access>(self, options: &Options, core: usize) -> Result<Row, Error> {
        let load = self.0;
        let plan = |pairs| Plan { pairs, block: Block::Operations(1) };
        let quota = RamQuota::bytes(load.bytes()? as u64 + (1 << 20));
        let dataspace = RamAllocator::new(&RamAccount::new(quota)).alloc(load.bytes()?)?;
        let server = Process::start(&options.component, &SharedMemory::new()?, Doorbell::default())?;
        server.component().bind(Some(core))?;
        let receiver = server.component().receiver(dataspace.capability().into(), load)?;
        let setting = Setting::new(load, receiver);
        let memory = |through| -> Result<_, Error> { Ok(dataspace.attach(load.window(through)?)?) };
        let mut ours = Stream::<T>::new(memory(Through::Stream)?, &setting)?;
        let slots = |through| Slots::new(memory(through)?, through, &setting);
        let (mut ring, mut rare_ring) = (slots(Through::Ring)?, slots(Through::RareRing)?);

        let pairs = pairs(setting.calibrate(&mut ours)?, options.quick);
        let comparison = compare(plan(pairs), &[&server], &mut ours, &mut ring)?;
        let beside_rare = compare(plan((pairs / 3).max(3)), &[&server], &mut ours, &mut rare_ring)?;
        Ok(Row {
            ratio_to_rare_ring: Some(rounded(1.0 / beside_rare.ratio())),
            read_gb_s: (load.read() == load.size()).then(|| rounded(reading(load))),
            budget: self.budget(),
            ..self.row(&comparison, setting.packets() as u64)
        })
    }

    /// An operation of the comparison is a whole block; the row tells of packets.
    fn row(self, comparison: &Comparison, packets: u64) -> Row {
        let blocks = comparison.row("stream", self.name(), "ring");
        let per_second = |block_ns: u64| packets * 1_000_000_000 / block_ns.max(1);
        Row {
            ours_p50_ns: blocks.ours_p50_ns / packets,
            ours_p99_ns: blocks.ours_p99_ns / packets,
            floor_p50_ns: blocks.floor_p50_ns / packets,
            floor_p99_ns: blocks.floor_p99_ns / packets,
            ours_cpu_ns: blocks.ours_cpu_ns / packets,
            floor_cpu_ns: blocks.floor_cpu_ns / packets,
            clock_ns: blocks.clock_ns / packets,
            // Of rates instead of times.
            ratio: rounded(1.0 / comparison.ratio()),
            ratio_min: rounded(1.0 / blocks.ratio_max),
            ratio_max: rounded(1.0 / blocks.ratio_min),
            ours_per_s: Some(per_second(blocks.ours_p50_ns)),
            floor_per_s: Some(per_second(blocks.floor_p50_ns)),
            ours_gb_s: Some(rounded(
                packets as f64 * f64::from(self.0.size) / blocks.ours_p50_ns.max(1) as f64,
            )),
            ..blocks
        }
    }
}

/// How many pairs of blocks, each of which takes so long: less where others want the cores, too.
fn pairs(block: Duration, quick: bool) -> u32 {
    let (most, time) = if quick { (FEWEST, Duration::ZERO) } else { (50, Duration::from_secs(2)) };
    let fitting = time.as_nanos() / (2 * block.as_nanos()).max(1);
    u32::try_from(fitting).unwrap_or(u32::MAX).clamp(FEWEST, most)
}

/// What this process alone reads out of as much memory as all packets have, in 10⁹ bytes a second: the median.
fn reading(load: Load) -> f64 {
    let memory = vec![1; load.content()];
    let times = (load.trial() / load.slots() as usize).max(1);
    let mut rates = [(); READINGS].map(|()| {
        let begin = Instant::now();
        for _ in 0..times {
            black_box(sum(black_box(&memory)));
        }
        (times * memory.len()) as f64 / begin.elapsed().as_nanos().max(1) as f64
    });
    rates.sort_by(f64::total_cmp);
    rates[READINGS / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_pairs_as_there_is_time_for() {
        let ms = Duration::from_millis;
        assert_eq!([pairs(ms(10), false), pairs(ms(50), false), pairs(ms(900), false)], [50, 20, 6]);
        assert_eq!(pairs(ms(10), true), 6);
    }

    #[test]
    fn budgets_are_those_that_are_promised() {
        let budgets = Case::all().map(Case::budget).collect::<Vec<_>>();
        let (all_bytes, trusted) = ([0.8, 0.8, 0.75, 0.75, 0.75].map(Some), Some(0.95));
        assert_eq!(budgets[..5], all_bytes);
        assert_eq!(budgets[5..10], [None, None, trusted, trusted, trusted]);
        assert_eq!(budgets[10..], [None; 5]);
    }
}
