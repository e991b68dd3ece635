//! Whether a component has the descriptors that it takes to read what it is sent.

use rustix::process::{Resource, getrlimit};

/// What a process has to spare whenever it reads a socket: `docs/ipc.md`, at the limit of descriptors.
pub(crate) const SPARE: u64 = 8;

/// How many descriptors a process of ours may have, if it has too few to spare. It has the limit of this process, which started it.
pub(crate) fn too_low_a_limit(of: u32) -> Option<u64> {
    let limit = getrlimit(Resource::Nofile).current?;
    let entries = std::fs::read_dir(format!("/proc/{of}/fd")).ok()?.flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok());
    // Those above the limit were there before it was set.
    let open = u64::try_from(numbers.filter(|number| *number < limit).count()).ok()?;
    (limit.saturating_sub(open) < SPARE).then_some(limit)
}
