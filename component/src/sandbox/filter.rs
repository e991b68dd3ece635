//! The filters of the system calls that a component makes: [one list](super::calls) of those that go through, and another one of
//! those that are refused by name.
//!
//! What is on neither list does not exist (ENOSYS): so a C library falls back on what was there before, and a system call of
//! tomorrow is not open today. What is refused by name answers EPERM, that its user may see why: the second filter alone would keep the
//! component from all of that, were the first one ever too generous.

use super::calls::{ALLOWED, DENIED, DENIED_LATER};
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpArgLen::Qword, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Of a descriptor: what a standard library asks, and what changes nothing for its other holders that they have to fear.
const IOCTLS: [libc::c_ulong; 4] = [libc::TCGETS, libc::FIONREAD, libc::FIONBIO, libc::FIOCLEX];
/// Every flag of `clone` that makes a namespace.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
];
/// Options that make a handle of the process at the other end of a socket, be it outside of the pid namespace.
const PEER_PROCESS: u64 = 77;
const PASS_PROCESSES: u64 = 76;
/// Where the type of a socket lies in its argument; above are flags.
const SOCKET_TYPE: u64 = 0xf;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The filters of a sandbox, to be installed in this order: of two errors the kernel answers with the last.
pub(crate) fn sandbox() -> Result<&'static [BpfProgram], Error> {
    static FILTERS: OnceLock<[BpfProgram; 2]> = OnceLock::new();
    if let Some(filters) = FILTERS.get() {
        return Ok(filters);
    }
    let made = [
        compile(allowed()?, SeccompAction::Errno(libc::ENOSYS.cast_unsigned()), SeccompAction::Allow)?,
        compile(denied()?, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.cast_unsigned()))?,
    ];
    Ok(FILTERS.get_or_init(|| made))
}

/// The filter that has somebody else asked which program a process becomes.
pub(crate) fn one_program() -> Result<&'static BpfProgram, Error> {
    static FILTER: OnceLock<BpfProgram> = OnceLock::new();
    if let Some(filter) = FILTER.get() {
        return Ok(filter);
    }
    let rules = unconditional(&[libc::SYS_execveat]);
    let mut made = compile(rules, SeccompAction::Allow, SeccompAction::Trace(0))?;
    // The compiler has no word for asking a listener; the two answers differ in their number alone.
    let answers = made.iter_mut().filter(|instruction| u32::from(instruction.code) == libc::BPF_RET);
    for answer in answers.filter(|answer| answer.k == libc::SECCOMP_RET_TRACE) {
        answer.k = libc::SECCOMP_RET_USER_NOTIF;
    }
    Ok(FILTER.get_or_init(|| made))
}

/// The filter that a component puts on itself.
pub(crate) fn hardened() -> Result<BpfProgram, Error> {
    let rules = unconditional(DENIED_LATER);
    compile(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.cast_unsigned()))
}

fn compile(rules: Rules, otherwise: SeccompAction, then: SeccompAction) -> Result<BpfProgram, Error> {
    let filter = SeccompFilter::new(rules, otherwise, then, std::env::consts::ARCH.try_into()?)?;
    Ok(filter.try_into()?)
}

fn unconditional(calls: &[libc::c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn allowed() -> Result<Rules, Error> {
    let mut rules = unconditional(ALLOWED);
    // Threads: what shares everything with their process, and cannot outlive it. `clone3` hides its flags from filters; without
    // it libraries take `clone`.
    rules.insert(
        libc::SYS_clone,
        vec![all_of([masked(0, flag(libc::CLONE_THREAD), flag(libc::CLONE_THREAD))?])?],
    );
    // Channels, and nothing that blocks its closer.
    let seqpacket = masked(1, SOCKET_TYPE, flag(libc::SOCK_SEQPACKET))?;
    rules.insert(libc::SYS_socketpair, vec![all_of([equal(0, flag(libc::AF_UNIX))?, seqpacket])?]);
    let ioctls = IOCTLS.iter().map(|command| all_of([equal(1, *command)?]));
    rules.insert(libc::SYS_ioctl, ioctls.collect::<Result<_, _>>()?);
    // Further filters, but none that others decide: only the flag that puts one on all threads.
    let strict_flags = masked(1, !libc::SECCOMP_FILTER_FLAG_TSYNC & u64::from(u32::MAX), 0)?;
    rules.insert(libc::SYS_seccomp, vec![all_of([strict_flags])?]);
    // The program from its descriptor, by the parent. Afterwards there is no path that leads to one.
    let from_descriptor = equal(4, flag(libc::AT_EMPTY_PATH))?;
    rules.insert(libc::SYS_execveat, vec![all_of([from_descriptor])?]);
    Ok(rules)
}

fn denied() -> Result<Rules, Error> {
    let mut rules = unconditional(DENIED);
    let processes = all_of([masked(0, flag(libc::CLONE_THREAD), 0)?]);
    let namespaces = NAMESPACES.iter().map(|kind| all_of([masked(0, flag(*kind), flag(*kind))?]));
    rules.insert(libc::SYS_clone, std::iter::once(processes).chain(namespaces).collect::<Result<_, _>>()?);
    for (call, option) in [(libc::SYS_getsockopt, PEER_PROCESS), (libc::SYS_setsockopt, PASS_PROCESSES)] {
        rules.insert(call, vec![all_of([equal(2, option)?])?]);
    }
    // Who is killed with its parent stays so.
    let death_signal = flag(libc::PR_SET_PDEATHSIG);
    rules.insert(libc::SYS_prctl, vec![all_of([equal(0, death_signal)?])?]);
    // Large pages are no part of any limit that a component has.
    let large_pages = u64::from(libc::MFD_HUGETLB);
    rules.insert(libc::SYS_memfd_create, vec![all_of([masked(1, large_pages, large_pages)?])?]);
    let large_pages = flag(libc::MAP_HUGETLB);
    rules.insert(libc::SYS_mmap, vec![all_of([masked(3, large_pages, large_pages)?])?]);
    let foreign = SeccompCondition::new(0, Dword, SeccompCmpOp::Ne, flag(libc::AF_UNIX))?;
    let types = (0..=SOCKET_TYPE).filter(|kind| *kind != flag(libc::SOCK_SEQPACKET));
    let others = types.map(|kind| all_of([masked(1, SOCKET_TYPE, kind)?]));
    let socketpairs = std::iter::once(all_of([foreign])).chain(others);
    rules.insert(libc::SYS_socketpair, socketpairs.collect::<Result<_, _>>()?);
    Ok(rules)
}

fn all_of<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(conditions.into())?)
}

fn equal(argument: u8, value: u64) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(argument, Dword, SeccompCmpOp::Eq, value)?)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(argument, Qword, SeccompCmpOp::MaskedEq(mask), value)?)
}

fn flag(value: libc::c_int) -> u64 {
    u64::from(value.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_allowed_and_refused() {
        let (allowed, denied) = (allowed().unwrap(), denied().unwrap());
        for (call, rules) in &denied {
            assert!(!rules.is_empty() || !allowed.contains_key(call), "{call} is on both lists");
        }
        assert_eq!(unconditional(ALLOWED).len(), ALLOWED.len(), "none is there twice");
        assert_eq!(unconditional(DENIED).len(), DENIED.len(), "none is there twice");
    }

    #[test]
    fn clone3_is_on_neither_list() {
        assert!(!allowed().unwrap().contains_key(&libc::SYS_clone3));
        assert!(!denied().unwrap().contains_key(&libc::SYS_clone3));
    }

    #[test]
    fn the_filters_compile() {
        assert_eq!(sandbox().unwrap().len(), 2);
        hardened().unwrap();
        let asking =
            one_program().unwrap().iter().filter(|instruction| instruction.k == libc::SECCOMP_RET_USER_NOTIF);
        assert_eq!(asking.count(), 1);
    }
}
