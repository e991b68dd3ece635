//! Which system calls a component makes: a list of those that go through, and a list of those that are refused by name.
//!
//! What is on neither list does not exist (ENOSYS): so a C library falls back on what was there before, and a system call of
//! tomorrow is not open today. What is refused by name answers EPERM, that its user may see why: the second filter alone would keep the
//! component from all of that, were the first one ever too generous.

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

/// What a component needs: its own memory, threads, time, what it holds open, and the few calls with which a program begins.
const ALLOWED: &[libc::c_long] = &[
    // Descriptors that it has.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_signalfd4,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    // Sockets that it was given.
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_shutdown,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    // Files: its libraries are all that there are.
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_umask,
    // Memory.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_mincore,
    libc::SYS_msync,
    libc::SYS_memfd_create,
    // Threads.
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_getcpu,
    // Signals, to nobody but itself: it sees nobody else.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_restart_syscall,
    // Time.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    // Itself.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_capget,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrandom,
    libc::SYS_getrlimit,
    libc::SYS_prlimit64,
    libc::SYS_getrusage,
    libc::SYS_prctl,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // What older ways of saying the same are called.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_pipe,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_create,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_eventfd,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
];

/// What a component is refused by name.
const DENIED: &[libc::c_long] = &[
    // To anybody that it was not introduced to; what blocks whoever closes it can only be made here.
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // What stalls others at a page of its memory, or in a file system of its own; filters cannot look into io_uring.
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_setup,
    libc::SYS_vmsplice,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_execve,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Who it is.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_capset,
    libc::SYS_personality,
    // Large parts of the kernel that no component needs.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    // The machine.
    libc::SYS_kexec_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_quotactl,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// What a component gives up when it has begun: see [`harden`](super::harden).
const DENIED_LATER: &[libc::c_long] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_execve,
    libc::SYS_execveat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
];

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
