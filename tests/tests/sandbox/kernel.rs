//! No namespaces, and no part of the kernel that a component does not need.

use crate::{INTRUDER, refused, watchdog};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::both;
use rustix::io::Errno;

const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
];

#[test]
fn attack_51_no_new_namespace() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let with_user = |kind: i32| (kind | libc::CLONE_NEWUSER).to_string();
    for kind in NAMESPACES {
        // Of its own, in a process that ends at once: the free one stays where it is.
        assert_eq!(free.tries(Attempt::Fork, &with_user(kind)), Ok("done".into()), "{kind:#x}");
        refused(confined.tries(Attempt::Fork, &with_user(kind)), &[Errno::PERM]);
        refused(confined.tries(Attempt::Call, &format!("{} {kind}", libc::SYS_unshare)), &[Errno::PERM]);
        // A thread in a namespace of its own.
        let thread = libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_SIGHAND | kind;
        refused(confined.tries(Attempt::Call, &format!("{} {thread}", libc::SYS_clone)), &[Errno::PERM]);
    }
    refused(confined.tries(Attempt::Call, &format!("{} 3 0", libc::SYS_setns)), &[Errno::PERM]);
    refused(free.tries(Attempt::Call, &format!("{} 3 0", libc::SYS_setns)), &[Errno::INVAL]);
}

#[test]
fn attack_51_no_io_uring_and_no_userfaultfd() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    for (call, arguments) in [
        (libc::SYS_io_uring_setup, "1 0"),
        (libc::SYS_io_uring_enter, "999 0 0 0 0 0"),
        (libc::SYS_io_uring_register, "999 0 0 0"),
        // For faults in user mode only: everybody may have that.
        (libc::SYS_userfaultfd, "1"),
    ] {
        let call = format!("{call} {arguments}");
        let outside = free.tries(Attempt::Call, &call);
        assert!(!matches!(outside, Err(Errno::PERM | Errno::NOSYS)) || !crate::root(), "{call}: {outside:?}");
        refused(confined.tries(Attempt::Call, &call), &[Errno::PERM]);
    }
}

/// Calls with arguments that mean nothing, and what the kernel says of these to who is allowed to make them.
const CALLS: &[(i64, &str)] = &[
    (libc::SYS_mount, "0 0 0 0 0"),
    (libc::SYS_umount2, "0 0"),
    (libc::SYS_pivot_root, "0 0"),
    (libc::SYS_chroot, "0"),
    (libc::SYS_open_tree, "999 0 0"),
    (libc::SYS_move_mount, "999 0 999 0 0"),
    (libc::SYS_fsopen, "0 0"),
    (libc::SYS_mount_setattr, "999 0 0 0 0"),
    (libc::SYS_pidfd_send_signal, "999 0 0 0"),
    (libc::SYS_kcmp, "0 0 0 0 0"),
    (libc::SYS_bpf, "999 0 0"),
    (libc::SYS_perf_event_open, "0 0 0 0 0"),
    (libc::SYS_keyctl, "999 0 0 0 0"),
    (libc::SYS_add_key, "0 0 0 0 0"),
    (libc::SYS_name_to_handle_at, "999 0 0 0 0"),
    (libc::SYS_open_by_handle_at, "999 0 0"),
    (libc::SYS_fanotify_init, "4294967295 0"),
    (libc::SYS_vmsplice, "999 0 0 0"),
    (libc::SYS_shmget, "0 0 0"),
    (libc::SYS_mq_open, "0 0 0 0"),
    (libc::SYS_reboot, "0 0 0 0"),
    (libc::SYS_swapon, "0 0"),
    (libc::SYS_init_module, "0 0 0"),
    (libc::SYS_finit_module, "999 0 0"),
    (libc::SYS_clock_settime, "0 0"),
    (libc::SYS_setgroups, "1 0"),
];

#[test]
fn attack_51_what_no_component_needs_is_refused_by_name() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    for (call, arguments) in CALLS {
        let call = format!("{call} {arguments}");
        refused(confined.tries(Attempt::Call, &call), &[Errno::PERM]);
        // By who has all privileges; a kernel may be built without one or the other.
        let outside = free.tries(Attempt::Call, &call);
        assert!(!crate::root() || outside != Err(Errno::PERM), "call {call}: {outside:?}");
    }
}

#[test]
fn strict_what_is_on_no_list_does_not_exist() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    // A call that exists and harms nobody, one that will exist some day, and one by the numbers of x32.
    assert!(free.tries(Attempt::Call, &libc::SYS_getpgid.to_string()).is_ok());
    for call in [libc::SYS_getpgid, 600, 0x4000_0000 + libc::SYS_socket] {
        refused(confined.tries(Attempt::Call, &call.to_string()), &[Errno::NOSYS]);
    }
}

#[test]
fn strict_it_has_no_privilege() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let identity = confined.tries(Attempt::Identity, "").expect("it knows");
    assert_eq!(identity, "1000 0", "an ordinary number, and no privilege");
    let outside = free.tries(Attempt::Identity, "").expect("it knows");
    assert!(outside.starts_with(&format!("{} ", rustix::process::geteuid().as_raw())), "{outside}");
    assert!(!crate::root() || !outside.ends_with(" 0"), "{outside}");
}
