//! A process that dies of locks whose owner the kernel is to know.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// From now on every thread of this process is killed, with all others, by an operation on a futex that inherits
/// priority, and by a new list of robust futexes: both make the kernel act on what is written in the word, and so
/// must never be used on a word that a peer can write.
///
/// Threads that start later would register a list and die of it, as the C library does that for each of them.
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
    let rules = BTreeMap::from([
        (libc::SYS_futex, owned),
        (libc::SYS_set_robust_list, Vec::new()),
        (libc::SYS_get_robust_list, Vec::new()),
    ]);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::KillProcess,
        std::env::consts::ARCH.try_into()?,
    )?;
    seccompiler::apply_filter_all_threads(&BpfProgram::try_from(filter)?)
}
