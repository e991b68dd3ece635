//! Kernels that lack a layer: here a filter refuses its system call, as a container's would, or an older kernel.

use crate::{INTRUDER, watchdog};
use portcullis_component::sandbox::{Error, Layer, Mode, Sandbox, Support};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{Cell, strict};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;
use std::process::Command;

/// A flag of `seccomp`.
const NEW_LISTENER: i32 = 8;

/// A layer, the system call without which it is missing (with this flag, if any: in the argument where its flags are), and what the kernel
/// says then.
const CASES: [(Layer, i64, i32, i32); 10] = [
    (Layer::UserNamespace, libc::SYS_clone, libc::CLONE_NEWUSER, libc::EPERM),
    (Layer::PidNamespace, libc::SYS_clone, libc::CLONE_NEWPID, libc::ENOSPC),
    (Layer::NetworkNamespace, libc::SYS_clone, libc::CLONE_NEWNET, libc::ENOSPC),
    (Layer::IpcNamespace, libc::SYS_clone, libc::CLONE_NEWIPC, libc::EINVAL),
    (Layer::UtsNamespace, libc::SYS_clone, libc::CLONE_NEWUTS, libc::EINVAL),
    (Layer::View, libc::SYS_mount_setattr, 0, libc::ENOSYS),
    (Layer::Landlock, libc::SYS_landlock_create_ruleset, 0, libc::EOPNOTSUPP),
    (Layer::Seccomp, libc::SYS_seccomp, 0, libc::EINVAL),
    (Layer::OneProgram, libc::SYS_seccomp, NEW_LISTENER, libc::EBUSY),
    (Layer::Descriptors, libc::SYS_close_range, 0, libc::ENOSYS),
];

const CASE: &str = "PORTCULLIS_LACKING";

/// Each in a process of its own, since a filter stays, and so does what was found out of the kernel.
#[test]
fn strict_refuses_without_a_layer_and_names_it_and_available_does_without() {
    let _watchdog = watchdog();
    if let Ok(name) = std::env::var(CASE) {
        let case = CASES.iter().find(|(layer, ..)| layer.name() == name).expect("there is such a case");
        return without(case);
    }
    for (layer, ..) in CASES {
        let test = "lacking::strict_refuses_without_a_layer_and_names_it_and_available_does_without";
        let mut alone = Command::new(std::env::current_exe().expect("/proc is mounted"));
        let output = alone.args([test, "--exact", "--nocapture"]).env(CASE, layer.name()).output();
        let output = output.expect("this program starts");
        assert!(output.status.success(), "{layer}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn without(&(layer, call, flag, reason): &(Layer, i64, i32, i32)) {
    refuse(call, flag, reason);
    let support = Support::of_this_system().expect("there is room to try it");
    assert!(!support.has(layer) && !support.strict(), "{:?}", support.lacks());

    let error = Cell::start(INTRUDER, &strict()).map(drop).expect_err("it is strict");
    // On a kernel that lacks others as well, the first of them is named.
    let first = support.lacks().iter().map(|lack| lack.layer).find(|layer| layer.needed());
    let named = [Some(layer), first];
    assert!(matches!(error, Error::Lacking { layer, .. } if named.contains(&Some(layer))), "{error:?}");
    assert!(error.to_string().contains("portcullis doctor"), "{error}");

    let available = Sandbox { mode: Mode::Available, ..strict() };
    let cell = Cell::start(INTRUDER, &available).expect("it does without");
    assert!(cell.child.left_out().iter().any(|lack| lack.layer == layer), "{:?}", cell.child.left_out());
    assert_eq!(cell.tries(Attempt::Thread, ""), Ok("7".into()));
}

const NO_ROOM: &str = "PORTCULLIS_NO_ROOM";

/// In a process of its own, since what was found out stays.
#[test]
fn what_there_is_too_little_of_for_a_moment_is_no_lack() {
    let _watchdog = watchdog();
    if std::env::var_os(NO_ROOM).is_none() {
        let test = "lacking::what_there_is_too_little_of_for_a_moment_is_no_lack";
        let mut alone = Command::new(std::env::current_exe().expect("/proc is mounted"));
        let output = alone.args([test, "--exact", "--nocapture"]).env(NO_ROOM, "1").output();
        let output = output.expect("this program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let before = getrlimit(Resource::Nofile);
    let has = std::fs::read_dir("/proc/self/fd").expect("/proc is mounted").count() as u64;
    for spare in [0, 2, 5] {
        let few = Rlimit { current: Some(has + spare), ..before };
        setrlimit(Resource::Nofile, few).expect("fewer than before");
        let untried = Support::of_this_system();
        assert!(matches!(untried, Err(Error::System { .. })), "{spare}: {untried:?}");
        let available = Sandbox { mode: Mode::Available, ..strict() };
        assert!(Cell::start(INTRUDER, &available).is_err(), "{spare}: not with less than there is");
        setrlimit(Resource::Nofile, before).expect("as many as before");
    }
    let cell = Cell::start(INTRUDER, &strict());
    assert_eq!(cell.is_ok(), Support::of_this_system().expect("there is room now").strict());
}

/// From now on this thread, and what it starts, is refused that call.
fn refuse(call: i64, flag: i32, reason: i32) {
    let flag = u64::from(flag.cast_unsigned());
    let with_flag = || {
        let place = if call == libc::SYS_seccomp { 1 } else { 0 };
        let condition =
            SeccompCondition::new(place, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag)?;
        SeccompRule::new(vec![condition])
    };
    let rules = if flag == 0 { Vec::new() } else { vec![with_flag().expect("the rule is one")] };
    let filter = SeccompFilter::new(
        BTreeMap::from([(call, rules)]),
        SeccompAction::Allow,
        SeccompAction::Errno(reason.cast_unsigned()),
        std::env::consts::ARCH.try_into().expect("there are filters for this machine"),
    );
    let program = BpfProgram::try_from(filter.expect("the filter is one")).expect("it is short");
    seccompiler::apply_filter(&program).expect("the kernel has filters");
}
