//! No other process can be seen, signalled, traced or read.

use crate::{INTRUDER, refused, watchdog};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{Cell, both, off};
use rustix::io::Errno;
use std::fs;

/// Another process of this user, with its secret and where that lies.
fn sibling() -> (Cell, u32, String) {
    let sibling = Cell::start(INTRUDER, &off()).expect("without a sandbox it runs everywhere");
    let address = sibling.tries(Attempt::Secret, "").expect("it knows");
    let id = sibling.child.id();
    (sibling, id, address)
}

#[test]
fn attack_48_the_memory_of_a_sibling_cannot_be_read() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let (_sibling, id, address) = sibling();
    let argument = format!("{id} {address}");
    for (attempt, ways) in [(Attempt::Memory, Errno::PERM), (Attempt::MemoryFile, Errno::NOENT)] {
        assert_eq!(free.tries(attempt, &argument), Ok("the crown jewels".into()), "{attempt:?}");
        refused(confined.tries(attempt, &argument), &[ways]);
    }
}

#[test]
fn attack_48_a_sibling_cannot_be_traced_nor_robbed() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let (sibling, id, _) = sibling();
    for (attempt, argument) in [(Attempt::Trace, id.to_string()), (Attempt::Steal, format!("{id} 3"))] {
        refused(confined.tries(attempt, &argument), &[Errno::PERM]);
        assert_eq!(free.tries(attempt, &argument), Ok("done".into()), "{attempt:?}");
    }
    assert_eq!(sibling.tries(Attempt::Thread, ""), Ok("7".into()), "it lives");
}

#[test]
fn attack_48_a_hardened_component_is_not_traced_by_its_own_user() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let library = "/lib64/ld-linux-x86-64.so.2";
    for cell in [&confined, &free] {
        assert_eq!(cell.tries(Attempt::Dumpable, ""), Ok("Dumpable".into()), "so each program begins");
        assert_eq!(cell.tries(Attempt::Thread, ""), Ok("7".into()));
        assert_eq!(cell.tries(Attempt::Harden, ""), Ok("done".into()));
        assert_eq!(cell.tries(Attempt::Dumpable, ""), Ok("NotDumpable".into()));
        refused(cell.tries(Attempt::Read, library), &[Errno::PERM]);
        refused(cell.tries(Attempt::Execute, library), &[Errno::PERM]);
        assert_eq!(cell.tries(Attempt::Thread, ""), Ok("7".into()), "threads start as before");
    }
    // Root looks everywhere.
    let memory = fs::File::open(format!("/proc/{}/mem", confined.child.id()));
    assert!(crate::root() || memory.is_err());
}

#[test]
fn attack_50_no_signal_reaches_a_sibling() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let (_sibling, id, _) = sibling();
    assert_eq!(free.tries(Attempt::Signal, &id.to_string()), Ok("done".into()));
    refused(confined.tries(Attempt::Signal, &id.to_string()), &[Errno::SRCH]);
    for other in [std::process::id(), free.child.id(), confined.child.id()] {
        refused(confined.tries(Attempt::Signal, &other.to_string()), &[Errno::SRCH]);
    }
    assert_eq!(
        confined.tries(Attempt::Signal, "1"),
        Ok("done".into()),
        "itself, which is the first of its namespace"
    );
}

#[test]
fn attack_50_no_signal_reaches_the_group_of_its_parent() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    // A signal to 0 goes to the sender's group, which namespaces don't cut. So it must be its own, and its session as well.
    let group_and_session = |id: u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("we may look");
        let behind_name = stat.rsplit_once(')').expect("it has a name").1.to_owned();
        behind_name.split_whitespace().skip(2).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let ours = group_and_session(std::process::id());
    assert_eq!(group_and_session(free.child.id()), ours);
    let own = confined.child.id().to_string();
    assert_eq!(group_and_session(confined.child.id()), [own.clone(), own]);
    assert_eq!(confined.tries(Attempt::Signal, "0"), Ok("done".into()), "itself");
}

#[test]
fn attack_48_the_socket_to_the_parent_is_no_handle_of_it() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    const PEER: i32 = 77;
    const PASS: i32 = 76;
    for (call, option) in [(libc::SYS_getsockopt, PEER), (libc::SYS_setsockopt, PASS)] {
        let call = format!("{call} 3 {} {option} 0 0", libc::SOL_SOCKET);
        let outside = free.tries(Attempt::Call, &call);
        refused(outside, &[Errno::FAULT, Errno::INVAL, Errno::NOPROTOOPT]);
        refused(confined.tries(Attempt::Call, &call), &[Errno::PERM]);
    }
}

#[test]
fn strict_no_further_process() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    assert_eq!(free.tries(Attempt::Fork, "0"), Ok("done".into()));
    refused(confined.tries(Attempt::Fork, "0"), &[Errno::PERM]);
    #[cfg(target_arch = "x86_64")]
    refused(confined.tries(Attempt::Call, &libc::SYS_vfork.to_string()), &[Errno::PERM]);
    refused(confined.tries(Attempt::Call, &format!("{} 0 0", libc::SYS_clone3)), &[Errno::NOSYS]);
    refused(free.tries(Attempt::Call, &format!("{} 0 0", libc::SYS_clone3)), &[Errno::INVAL]);
}

#[test]
fn attack_53_a_reused_number_is_not_the_child() {
    let _watchdog = watchdog();
    // The kernel gives a number out again when it is told to by who may; unless somebody else was faster.
    let count = |number: u32| fs::write("/proc/sys/kernel/ns_last_pid", (number - 1).to_string()).is_ok();
    for _ in 0..50 {
        let Some((mut confined, _)) = both(INTRUDER) else { return };
        let number = confined.child.id();
        drop(confined.first);
        let ended = confined.child.wait().expect("it ends");
        assert!(ended.success());
        let may = count(number);
        let other = Cell::start(INTRUDER, &off()).expect("it runs");
        assert_eq!(confined.child.kill().expect("there is nothing to kill"), ended);
        drop(confined.child);
        assert_eq!(
            other.tries(Attempt::Thread, ""),
            Ok("7".into()),
            "it was not killed in place of the child"
        );
        if other.child.id() == number || !may {
            return;
        }
    }
    panic!("no number came again");
}
