//! Keeping two threads apart that spin for each other: on a machine under load they could end up on one core, and then
//! each turn costs a slice of its time.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Binds the calling thread to the first core that it may use.
pub fn first_core() {
    bind_to(<[usize]>::first);
}

/// Binds the calling thread to the last core that it may use.
pub fn last_core() {
    bind_to(<[usize]>::last);
}

fn bind_to(choose: impl FnOnce(&[usize]) -> Option<&usize>) {
    let allowed = sched_getaffinity(None).unwrap_or_default();
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
    if let Some(core) = choose(&cores) {
        let mut one = CpuSet::new();
        one.set(*core);
        // Refused: then only slower.
        let _ = sched_setaffinity(None, &one);
    }
}
