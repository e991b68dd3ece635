//! Rows for people: a line each, so that they can be shown as they come.

use super::row::Row;

/// The heading above the lines.
///
/// ```
/// assert!(portcullis_bench::table::heading().starts_with("case"));
/// ```
#[must_use]
pub fn heading() -> String {
    format!(
        "{:<22} {:>9} {:>9}  {:<10} {:>9} {:>7}  {:<13} {:>9} {:>9}",
        "case", "p50", "p99", "floor", "p50", "ratio", "of the blocks", "CPU/call", "floor CPU"
    )
}

/// The line of a row.
///
/// ```
/// let row = portcullis_bench::Row { case: "same-core/0".into(), ours_p50_ns: 4_321, ..Default::default() };
/// let line = portcullis_bench::table::line(&row);
/// assert!(line.starts_with("same-core/0") && line.contains("4.32 µs"));
/// ```
#[must_use]
pub fn line(row: &Row) -> String {
    let spread = format!("{} to {}", ratio(row.ratio_min), ratio(row.ratio_max));
    let mut line = format!(
        "{:<22} {:>9} {:>9}  {:<10} {:>9} {:>7}  {:<13} {:>9} {:>9}",
        row.case,
        time(row.ours_p50_ns),
        time(row.ours_p99_ns),
        row.floor,
        time(row.floor_p50_ns),
        ratio(row.ratio),
        spread,
        time(row.ours_cpu_ns),
        time(row.floor_cpu_ns),
    );
    if let Some(rate) = row.calls_per_second {
        line += &format!("  {rate} calls/s");
    }
    if let Some(share) = row.slowest_to_mean {
        line += &format!(", the slowest client gets {share:.2} of the mean");
    }
    if let (Some(signals), Some(runs)) = (row.signals_per_second, row.runs_per_second) {
        line += &format!("  {signals} signals/s, {runs} runs/s");
    }
    if let Some(sessions) = row.sessions {
        line += &format!("  {sessions} sessions");
    }
    if let (Some(held), Some(floor), Some(descriptors)) = (row.held, row.floor_held, row.descriptors_held) {
        line += &format!(", {held} at once in {descriptors} descriptors, of the floor {floor}");
    }
    for (name, before, after) in [
        ("descriptors", row.descriptors_before, row.descriptors_after),
        ("rows", row.rows_before, row.rows_after),
    ] {
        if let (Some(before), Some(after)) = (before, after) {
            line += &format!(", {name} {before} before and {after} after");
        }
    }
    if let (Some(ours), Some(floor)) = (row.ours_per_s, row.floor_per_s) {
        line += &format!("  {ours} packets/s to {floor}");
    }
    if let Some(ours) = row.ours_gb_s {
        line += &format!(", {ours:.2} GB/s");
    }
    if let Some(alone) = row.read_gb_s {
        line += &format!(" (one process alone reads {alone:.1})");
    }
    if let Some(ratio) = row.ratio_to_rare_ring {
        line += &format!(", {ratio:.2} × a ring in batches");
    }
    if let Some(budget) = row.budget {
        let verdict = if row.ratio < budget { "missed" } else { "held" };
        line += &format!(", budget {budget} {verdict}");
    }
    line
}

/// A time to three digits, in the unit that suits it.
pub(super) fn time(nanoseconds: u64) -> String {
    let value = nanoseconds as f64;
    let (value, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (value / 1e3, "µs"),
        1_000_000..1_000_000_000 => (value / 1e6, "ms"),
        _ => (value / 1e9, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {unit}")
}

/// A ratio with the digits that mean something.
pub(super) fn ratio(ratio: f64) -> String {
    if ratio < 0.005 {
        "<0.01".into()
    } else if ratio < 100.0 {
        format!("{ratio:.2}")
    } else {
        format!("{ratio:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let told = [7, 999, 1_234, 56_789, 123_456, 12_345_678, 1_500_000_000].map(time);
        assert_eq!(told, ["7 ns", "999 ns", "1.23 µs", "56.8 µs", "123 µs", "12.3 ms", "1.50 s"]);
    }

    #[test]
    fn ratios_have_the_digits_that_mean_something() {
        assert_eq!([0.000_3, 0.5, 1.254, 12.3, 764.5].map(ratio), ["<0.01", "0.50", "1.25", "12.30", "764"]);
    }

    #[test]
    fn lines_stand_under_their_headings() {
        let row =
            Row { case: "object-of-1000000".into(), floor: "one-client", ratio: 7.89, ..Row::default() };
        let end_of_ratio = heading().find("ratio").unwrap() + "ratio".len();
        assert_eq!(line(&row).find("7.89").unwrap() + "7.89".len(), end_of_ratio);
    }
}
