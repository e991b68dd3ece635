//! The death of a parent ends its components, whatever these do.

use crate::{INTRUDER, refused, watchdog};
use portcullis_component::sandbox::{Mode, Support};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{Cell, both, strict};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ORPHANER: &str = env!("CARGO_BIN_EXE_orphaner");

/// Long enough for a kernel to end a process on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A parent, what its component answered, and that component.
struct Family {
    parent: Child,
    answers: Vec<String>,
    component: OwnedFd,
}

impl Family {
    fn new(mode: &str, attempts: &[Attempt]) -> Family {
        let mut command = Command::new(ORPHANER);
        command.args([INTRUDER, mode]).args(attempts.iter().map(|attempt| (*attempt as u32).to_string()));
        let mut parent = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(parent.stdout.take().expect("it has one")).lines();
        let mut answers: Vec<_> =
            lines.take(attempts.len() + 1).map(|line| line.expect("it is a text")).collect();
        let number = answers.pop().and_then(|number| number.parse().ok()).and_then(Pid::from_raw);
        let component = rustix::process::pidfd_open(number.expect("it says a number"), PidfdFlags::empty());
        Family { parent, answers, component: component.expect("it lives as long as its parent") }
    }

    /// Kills the parent; answers whether the component is gone within that time.
    fn component_ends(&mut self, within: Duration) -> bool {
        self.parent.kill().expect("it is ours");
        self.parent.wait().expect("it is ours");
        let within = Timespec::try_from(within).expect("it is short");
        let mut gone = [PollFd::new(&self.component, PollFlags::IN)];
        rustix::io::retry_on_intr(|| rustix::event::poll(&mut gone, Some(&within))).expect("it is watched")
            == 1
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // What is gone already needs no killing.
        let _ = (self.parent.kill(), self.parent.wait());
        let _ = rustix::process::pidfd_send_signal(&self.component, Signal::KILL);
    }
}

#[test]
fn the_death_of_a_parent_ends_its_components() {
    let _watchdog = watchdog();
    let support = Support::of_this_system().expect("there is room to try it");
    let mode = if support.strict() { "strict" } else { "available" };
    for defiance in [Attempt::Thread, Attempt::Defy, Attempt::DefyWithoutLeader] {
        let mut family = Family::new(mode, &[defiance]);
        assert!(family.answers[0].starts_with("Ok"), "{:?}", family.answers);
        assert!(family.component_ends(SOON), "{defiance:?}");
    }
    // Without a sandbox it is only told, and does not listen.
    let mut family = Family::new("off", &[Attempt::Defy]);
    assert!(!family.component_ends(Duration::from_millis(200)));
}

#[test]
fn strict_a_component_cannot_undo_that_it_ends_with_its_parent() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    // The kernel takes an `int`: what lies above its 32 bits means nothing.
    for option in [libc::PR_SET_PDEATHSIG as usize, libc::PR_SET_PDEATHSIG as usize | 1 << 32] {
        let call = format!("{} {option} 0", libc::SYS_prctl);
        assert_eq!(free.tries(Attempt::Call, &call), Ok("0".into()));
        refused(confined.tries(Attempt::Call, &call), &[Errno::PERM]);
    }
}

/// It is the process's first thread that ends with the parent. Whoever runs a program on another thread makes that the first.
#[test]
fn strict_a_component_runs_no_second_program_not_even_an_open_one() {
    let _watchdog = watchdog();
    let loader = "/lib64/ld-linux-x86-64.so.2";
    let Some((confined, free)) = both(INTRUDER) else { return };
    assert!(free.dies_of(Attempt::ExecuteOpen, loader), "it became another program, and that has ended");
    refused(confined.tries(Attempt::ExecuteOpen, loader), &[Errno::NOSYS]);
    assert_eq!(confined.tries(Attempt::Thread, ""), Ok("7".into()), "it is still there");
}

/// The kernel means the death of a thread by the death of a parent.
#[test]
fn a_component_outlives_the_thread_that_started_it() {
    let _watchdog = watchdog();
    let sandbox = portcullis_component::sandbox::Sandbox { mode: Mode::Available, ..strict() };
    let started = std::thread::spawn(move || Cell::start(INTRUDER, &sandbox).expect("it starts"));
    let mut cell = started.join().expect("it does not panic");
    for _ in 0..100 {
        assert_eq!(cell.tries(Attempt::Thread, ""), Ok("7".into()));
    }
    assert_eq!(cell.child.try_wait().expect("it can be asked"), None);
}
