//! How much memory the machine has to give.
//!
//! The tmpfs behind memory files has no limit of its own: whoever asks it for more than there is gets no error, but has the
//! system kill processes until there is enough, or until it is killed itself. So the question is asked before.

use super::group;
use crate::error::Error;
use crate::quota::RamQuota;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much a process takes between two questions, in bytes, since others take memory, too. Asking costs as much as making a
/// small dataspace.
pub(crate) const STEP: usize = 16 * 1024 * 1024;

/// Refuses what the machine does not have, or the memory group may not take. An eighth of what is available is left to others.
pub(crate) fn afford(bytes: usize) -> Result<(), Error> {
    static UNASKED: AtomicU64 = AtomicU64::new(0);
    let asked = bytes as u64;
    // Relaxed: whoever comes to it first asks, and that two of them do does no harm.
    if UNASKED.fetch_add(asked.min(STEP as u64), Ordering::Relaxed) + asked.min(STEP as u64) < STEP as u64 {
        return Ok(());
    }
    let available = available();
    let affordable = available - available / 8;
    if asked > affordable {
        let (asked, available) = (RamQuota::bytes(asked), RamQuota::bytes(affordable));
        return Err(Error::OutOfMemory { asked, available });
    }
    UNASKED.store(0, Ordering::Relaxed);
    Ok(())
}

/// What the kernel thinks can be taken without swapping. Where there is no `/proc`, as in a sandbox, nobody can say that (free
/// memory is little on any machine that has been running for a while, since files are kept in it): then half of what the machine
/// has, which is also what a tmpfs that is mounted takes for its limit.
fn available() -> u64 {
    let told = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = told.as_deref().and_then(parse).unwrap_or_else(|| {
        let info = rustix::system::sysinfo();
        info.totalram.saturating_mul(u64::from(info.mem_unit)) / 2
    });
    group::headroom().map_or(machine, |group| group.min(machine))
}

/// The bytes that a text like that of `/proc/meminfo` says are available (proc_meminfo(5); since Linux 3.14).
fn parse(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_available_is_read_from_its_line() {
        let meminfo = "MemTotal:       24000000 kB\nMemFree:          100 kB\nMemAvailable:   19000000 kB\nCached: 1 kB\n";
        assert_eq!(parse(meminfo), Some(19_000_000 * 1024));
        for none in
            ["", "MemTotal: 5 kB\n", "MemAvailable: many kB\n", "MemAvailable: 18446744073709551615 kB\n"]
        {
            assert_eq!(parse(none), None);
        }
    }

    #[test]
    fn a_page_can_be_had_and_not_all_of_the_memory() {
        let total = rustix::system::sysinfo();
        let total = usize::try_from(total.totalram * u64::from(total.mem_unit)).expect("it is mapped");
        for _ in 0..100 {
            // However little was taken since the last question.
            assert!(matches!(afford(total), Err(Error::OutOfMemory { .. })));
            assert_eq!(afford(4096), Ok(()));
        }
    }
}
