//! Parents that are killed while they start components.
//!
//! Each is a process of its own: this program, a second time.

use super::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, Signal, WaitId, WaitIdOptions};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Barrier;

/// Tells this program, started by itself, that it is the parent.
const PARENT: &str = "PORTCULLIS_PARENT";

/// Long enough for a kernel to end a process on a busy machine.
const SOON: Timespec = Timespec { tv_sec: 20, tv_nsec: 0 };

/// How many are started at a time: each has copies of what its parent has for the other.
const CHILDREN: usize = 2;

/// How many descriptors each may have.
const DESCRIPTORS: u64 = 77;

/// How often a child sets one of its limits, so that it can be stopped meanwhile.
const LIMITS: usize = 500_000;

#[test]
fn children_end_with_a_parent_that_is_killed_before_it_says_go() {
    let name = "children_end_with_a_parent_that_is_killed_before_it_says_go";
    ends_with_its_parent(name, |child| {
        say(child);
        park_for_ever()
    });
}

#[test]
fn children_end_with_a_parent_that_is_killed_between_its_go_and_their_program() {
    let name = "children_end_with_a_parent_that_is_killed_between_its_go_and_their_program";
    ends_with_its_parent(name, |child| {
        std::thread::spawn(move || {
            // What was asked for before is undone: it is somebody else.
            while !has_limits(child) {
                std::thread::yield_now();
            }
            // It goes on when its parent is gone.
            rustix::process::kill_process(child, Signal::STOP).unwrap();
            let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
            rustix::io::retry_on_intr(|| rustix::process::waitid(WaitId::Pid(child), stopped)).unwrap();
            say(child);
        });
    });
}

/// Has a parent start components, kills it when it has said their numbers, and sees them end. The closure is called for each that was
/// made, before it is told to go on.
fn ends_with_its_parent(name: &str, before: impl Fn(Pid) + Sync) {
    if std::env::var_os(PARENT).is_some() {
        return be_the_parent(&before);
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args([&format!("sandbox::start::tests::{name}"), "--exact", "--nocapture"]).env(PARENT, "1");
    let mut parent = alone.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(parent.stderr.take().unwrap()).lines().map(Result::unwrap).take(CHILDREN);
    let lines: Vec<String> = lines.collect();
    let children: Vec<OwnedFd> = lines
        .iter()
        .map(|line| {
            let number = line.parse().ok().and_then(Pid::from_raw).unwrap_or_else(|| panic!("{lines:?}"));
            rustix::process::pidfd_open(number, PidfdFlags::empty()).unwrap()
        })
        .collect();
    assert_eq!(children.len(), CHILDREN, "{lines:?}");
    parent.kill().unwrap();
    parent.wait().unwrap();
    let send = |signal| {
        for child in &children {
            // It may be gone already, which is what is wanted.
            let _ = rustix::process::pidfd_send_signal(child, signal);
        }
    };
    send(Signal::CONT);
    let ended = children.iter().filter(|child| until(child, Some(&SOON))).count();
    send(Signal::KILL);
    assert_eq!(ended, CHILDREN, "the others go on");
}

fn be_the_parent(before: &(impl Fn(Pid) + Sync)) {
    let both = Barrier::new(CHILDREN);
    std::thread::scope(|scope| {
        for _ in 0..CHILDREN {
            scope.spawn(|| start(&both, before));
        }
    });
}

/// Starts a component that never ends by itself, and without the layer that has its parent asked once more.
fn start(both: &Barrier, before: impl Fn(Pid)) {
    let pd = Pd::new().unwrap();
    let bounds = Bounds { descriptors: DESCRIPTORS, ..Bounds::default() };
    let sandbox = Sandbox { mode: Mode::Available, bounds, ..Sandbox::default() };
    let mut parts = Parts::of(sandbox.mode).unwrap();
    parts.layers.retain(|layer| *layer != Layer::OneProgram);
    let (_first, portal) = pd.portal().unwrap();
    let (ours, parent) = delivery::line().unwrap();
    let mut birth =
        sandbox.birth(&parts, &Program::new("/bin/sleep").argument("60"), parent, portal).unwrap();
    birth.limits.extend([(Resource::Core, 0)].repeat(LIMITS));
    both.wait();
    let join = |child| {
        before(child);
        Ok(())
    };
    let _child = delivery::deliver(parts.namespaces(), parts.owner(), &ours, birth, join);
    park_for_ever()
}

/// Whether a child has come to its limits.
fn has_limits(child: Pid) -> bool {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.as_raw_nonzero())).unwrap();
    let descriptors = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or_default();
    descriptors.split_whitespace().next() == Some(&DESCRIPTORS.to_string())
}

fn park_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}

/// Whether there is something to read, within that time.
fn until(descriptor: &OwnedFd, limit: Option<&Timespec>) -> bool {
    let mut ready = [PollFd::new(descriptor, PollFlags::IN)];
    rustix::io::retry_on_intr(|| poll(&mut ready, limit)).unwrap() == 1
}

/// To whoever reads what this process says.
fn say(child: Pid) {
    eprintln!("{}", child.as_raw_nonzero());
}
