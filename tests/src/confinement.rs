//! A process that dies of what an honest one never asks of the kernel: locks whose owner it is to know, and what a stranger
//! can keep waiting.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// From now on every thread of this process is killed, with all others, by an operation on a futex that inherits
/// priority: that makes the kernel act on what is written in the word, and so must never be used on a word that a peer can
/// write. Nor does the kernel take a list of robust futexes any more: the C library offers one for each thread that starts
/// later, and does without.
///
/// # Errors
/// What the system or the filter's compiler says.
pub fn forbid_owned_futexes() -> Result<(), seccompiler::Error> {
    // FUTEX_LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_REQUEUE_PI, CMP_REQUEUE_PI, LOCK_PI2; above are flags.
    const OWNED: [u64; 6] = [6, 7, 8, 11, 12, 13];
    const OPERATION: u64 = 0x7f;
    let owned = |operation| {
        let compare = SeccompCmpOp::MaskedEq(OPERATION);
        SeccompRule::new(vec![SeccompCondition::new(1, SeccompCmpArgLen::Dword, compare, operation)?])
    };
    let owned = OWNED.into_iter().map(owned).collect::<Result<Vec<_>, _>>()?;
    forbid(BTreeMap::from([(libc::SYS_futex, owned)]), SeccompAction::KillProcess)?;
    let lists = [libc::SYS_set_robust_list, libc::SYS_get_robust_list].map(|call| (call, Vec::new()));
    forbid(BTreeMap::from(lists), SeccompAction::Errno(libc::EPERM.cast_unsigned()))
}

/// From now on every thread of this process is killed, with all others, by asking for a descriptor what may wait for a
/// stranger: what its file system knows of a file, which may be one that never answers; what a pipe holds at most, and options
/// of a socket, whose locks whoever shares them can hold.
///
/// # Errors
/// What the system or the filter's compiler says.
pub fn forbid_asking_strangers() -> Result<(), seccompiler::Error> {
    let equal = |argument, compare, value| {
        SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, value)?])
    };
    const SYNC: u64 = (libc::AT_STATX_FORCE_SYNC | libc::AT_STATX_DONT_SYNC) as u64;
    let asks = [0, libc::AT_STATX_FORCE_SYNC as u64];
    let asks = asks.map(|flags| equal(2, SeccompCmpOp::MaskedEq(SYNC), flags)).into_iter();
    let rules = BTreeMap::from([
        (libc::SYS_fstat, Vec::new()),
        (libc::SYS_newfstatat, Vec::new()),
        (libc::SYS_statx, asks.collect::<Result<_, _>>()?),
        (libc::SYS_fcntl, vec![equal(1, SeccompCmpOp::Eq, libc::F_GETPIPE_SZ as u64)?]),
        (libc::SYS_setsockopt, Vec::new()),
    ]);
    forbid(rules, SeccompAction::KillProcess)
}

fn forbid(rules: BTreeMap<i64, Vec<SeccompRule>>, action: SeccompAction) -> Result<(), seccompiler::Error> {
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, std::env::consts::ARCH.try_into()?)?;
    seccompiler::apply_filter_all_threads(&BpfProgram::try_from(filter)?)
}
