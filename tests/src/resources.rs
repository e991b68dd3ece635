//! What a process holds, as the system sees it.

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Open descriptors, including the one that counts them.
    pub descriptors: u64,
    /// Mappings.
    pub mappings: u64,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
}

impl Resources {
    /// What this process holds.
    ///
    /// # Panics
    /// Without a mounted `/proc`.
    #[must_use]
    pub fn of_this_process() -> Resources {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
        let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
        Resources {
            descriptors: std::fs::read_dir("/proc/self/fd").expect("/proc is mounted").count() as u64,
            mappings: maps.lines().count() as u64,
            resident_kib: field(&status, "VmRSS:"),
        }
    }
}

/// How often the threads of a process were switched to, ever: the wake-ups of all of them, and their preemptions.
/// Threads that have ended do not count any more.
///
/// # Panics
/// If there is no such process.
#[must_use]
pub fn switches(process: u32) -> u64 {
    statuses(process)
        .map(|status| {
            field(&status, "voluntary_ctxt_switches:") + field(&status, "nonvoluntary_ctxt_switches:")
        })
        .sum()
}

/// For how long the threads of a process ran so far. Threads that have ended do not count any more.
///
/// # Panics
/// If there is no such process.
#[must_use]
pub fn busy(process: u32) -> Duration {
    let times = files(process, "schedstat").map(|text| {
        let time = text.split_whitespace().next().and_then(|time| time.parse().ok());
        Duration::from_nanos(time.unwrap_or(0))
    });
    times.sum()
}

/// From now on the process may have descriptors with numbers below this.
///
/// # Panics
/// If there is no such process, or it is not ours.
pub fn limit_descriptors(process: u32, limit: u64) {
    let process = process.try_into().ok().and_then(Pid::from_raw);
    let most = getrlimit(Resource::Nofile).maximum;
    prlimit(process, Resource::Nofile, Rlimit { current: Some(limit), maximum: most }).expect("it is ours");
}

/// Whether every thread of a process sleeps.
///
/// # Panics
/// If there is no such process.
#[must_use]
pub fn sleeps(process: u32) -> bool {
    statuses(process).all(|status| status.lines().any(|line| line.starts_with("State:\tS")))
}

/// How often the threads of processes wake up in a second and a half, once all of them sleep.
///
/// # Panics
/// If they do not come to sleep, or there is no such process.
#[must_use]
pub fn wake_ups(processes: &[u32]) -> u64 {
    const WHILE: Duration = Duration::from_millis(1_500);
    let count = || processes.iter().map(|process| switches(*process)).sum::<u64>();
    // Asleep at two looks in a row, with nothing in between: under load a thread may wait for a core for long.
    assert!(eventually(|| {
        let before = count();
        processes.iter().all(|process| sleeps(*process)) && count() == before
    }));
    let before = count();
    // Not to wait for anything: this is the time that is looked at.
    std::thread::sleep(WHILE);
    count() - before
}

fn statuses(process: u32) -> impl Iterator<Item = String> {
    files(process, "status")
}

/// That file of each thread.
fn files(process: u32, name: &'static str) -> impl Iterator<Item = String> {
    let tasks: PathBuf = ["/proc", &process.to_string(), "task"].iter().collect();
    std::fs::read_dir(tasks)
        .expect("the process lives")
        .filter_map(move |task| std::fs::read_to_string(task.ok()?.path().join(name)).ok())
}

/// Waits until the condition holds, for at most ten seconds; answers whether it does.
pub fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        if Instant::now() >= end {
            return false;
        }
        // Polled, and gently: what is waited for may need this core.
        std::thread::sleep(Duration::from_micros(200));
    }
    true
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart() {
        let status = "VmRSS:\t    1234 kB\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(field(status, "VmRSS:"), 1234);
        assert_eq!(field(status, "voluntary_ctxt_switches:"), 5);
        assert_eq!(field(status, "nonvoluntary_ctxt_switches:"), 7);
    }

    #[test]
    fn a_descriptor_and_a_wake_up_count() {
        let before = (Resources::of_this_process().descriptors, switches(std::process::id()));
        let _file = std::fs::File::open("/proc/self/status").unwrap();
        std::thread::sleep(Duration::from_millis(1));
        assert!(Resources::of_this_process().descriptors > before.0);
        assert!(switches(std::process::id()) > before.1);
    }
}
