//! The result of one case.

use serde::Serialize;

/// The result of one case of a benchmark: ours beside its floor. Times are in nanoseconds.
///
/// It serialises to an object with the fields in this order, by these names; what does not apply is left out.
///
/// ```
/// use portcullis_bench::Row;
///
/// let row = Row { case: "both-awake/0".into(), ours_p50_ns: 250, floor_p50_ns: 200, ratio: 1.25, ..Row::default() };
/// assert!(portcullis_bench::table::line(&row).contains("1.25"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// The benchmark: `call`, `session`, `signal` or `stream`.
    pub bench: &'static str,
    /// The case, such as `both-awake/64`.
    pub case: String,
    /// Half of our operations took no longer, by groups of short ones.
    pub ours_p50_ns: u64,
    /// 99 of 100 of our operations took no longer, each measured alone.
    pub ours_p99_ns: u64,
    /// What ours is compared with.
    pub floor: &'static str,
    /// Half of the floor's operations took no longer, by groups as ours.
    pub floor_p50_ns: u64,
    /// Our median by the floor's, block by block; the median over the pairs of blocks. With streams the other way round: our
    /// rate by the floor's, and more is better.
    pub ratio: f64,
    /// The smallest ratio of a pair of blocks.
    pub ratio_min: f64,
    /// The largest ratio of a pair of blocks.
    pub ratio_max: f64,
    /// How many pairs of blocks there were.
    pub blocks: u32,
    /// 99 of 100 of the floor's operations took no longer.
    pub floor_p99_ns: u64,
    /// CPU time of one of our operations, client and server together, user and system.
    pub ours_cpu_ns: u64,
    /// CPU time of one of the floor's operations, on both sides together.
    pub floor_cpu_ns: u64,
    /// What a look at the clock adds to the time of an operation that is measured alone, ours and the floor's alike.
    pub clock_ns: u64,
    /// With many clients: the calls of all of them together, in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_second: Option<u64>,
    /// With many clients: the calls of the slowest by the mean of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest_to_mean: Option<f64>,
    /// With a flood of signals: how many were submitted in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signals_per_second: Option<u64>,
    /// With a flood of signals: how often the handler ran in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs_per_second: Option<u64>,
    /// With sessions: how many there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u64>,
    /// With sessions that are held at once: how many are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<u64>,
    /// With sessions that are held at once: how many descriptors the floor holds at once, as the limit of a process allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor_held: Option<u64>,
    /// With sessions that are held at once: the open descriptors of all processes together, while ours are held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors_held: Option<u32>,
    /// With sessions: the open descriptors of all processes together, before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors_before: Option<u32>,
    /// With sessions: the same after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors_after: Option<u32>,
    /// With sessions: the rows in the capability tables of all processes together, before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_before: Option<u32>,
    /// With sessions: the same after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_after: Option<u32>,
    /// With streams: our packets in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours_per_s: Option<u64>,
    /// With streams: the floor's packets in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor_per_s: Option<u64>,
    /// With streams: the content of our packets, in 10⁹ bytes a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours_gb_s: Option<f64>,
    /// With streams whose content is read: what one process alone reads out of as much memory, in 10⁹ bytes a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_gb_s: Option<f64>,
    /// With streams: our rate by that of a ring whose counts move as seldom as ours; the median over the pairs of blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio_to_rare_ring: Option<f64>,
    /// With streams, if there is one: what the ratio is at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
}
