//! Whether the budgets of all components together are there to give.

use super::composition::{Component, Given};
use super::draft::ComponentDraft;
use super::problem::Problem;
use super::reporter::Reporter;
use portcullis_component::CapQuota;
use portcullis_shm::RamQuota;
use std::ops::Range;

/// Reports the first component for which nothing is left, of RAM and of capabilities.
pub(super) fn check(components: &[ComponentDraft], given: &Given, reporter: &mut Reporter<'_>) {
    let complete: Vec<(&ComponentDraft, &Component)> =
        components.iter().filter_map(|draft| Some((draft, draft.component.as_ref()?))).collect();
    let ram = complete.iter().map(|(draft, component)| (&draft.ram, component.ram.in_bytes()));
    let caps = complete.iter().map(|(draft, component)| (&draft.caps, component.caps.count()));
    sum(
        "component.ram",
        ram,
        given.ram.map(RamQuota::in_bytes),
        |bytes| super::units::written(RamQuota::bytes(bytes)),
        reporter,
    );
    sum("component.caps", caps, given.caps.map(CapQuota::count), |count| count.to_string(), reporter);
}

fn sum<'a>(
    key: &str,
    amounts: impl Iterator<Item = (&'a Range<usize>, u64)>,
    given: Option<u64>,
    say: impl Fn(u64) -> String,
    reporter: &mut Reporter<'_>,
) {
    let mut total = 0_u64;
    for (span, amount) in amounts {
        let left = given.unwrap_or(u64::MAX).saturating_sub(total);
        if amount > left {
            let expected = match given {
                Some(given) => format!("{} at most: the parent gives {}", say(left), say(given)),
                None => "less: the sum of all is more than can be counted".into(),
            };
            reporter.report(span, Problem::error(key, say(amount), expected));
            return;
        }
        total += amount;
    }
}
