//! How much of a sandbox there must be.

use crate::{INTRUDER, refused, watchdog};
use portcullis_component::sandbox::{Layer, Mode, Sandbox, Support};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{Cell, off};
use rustix::io::Errno;

#[test]
fn available_takes_what_there_is_and_says_what_is_not() {
    let _watchdog = watchdog();
    let available = Sandbox { mode: Mode::Available, ..Sandbox::default() };
    let cell = Cell::start(INTRUDER, &available).expect("it runs everywhere");
    let support = Support::of_this_system().expect("there is room to try it");
    let left_out: Vec<Layer> = cell.child.left_out().iter().map(|lack| lack.layer).collect();
    // A memory group was not asked for.
    for layer in Layer::ALL.into_iter().filter(|layer| *layer != Layer::MemoryGroup) {
        assert_eq!(left_out.contains(&layer), !support.has(layer), "{layer}");
    }
    let everything = cell.tries(Attempt::Read, "/etc/passwd");
    if support.has(Layer::View) || support.has(Layer::Landlock) {
        refused(everything, &[Errno::NOENT, Errno::ACCESS]);
    }
    let socket = cell.tries(Attempt::Call, &format!("{} 2 1 0", libc::SYS_socket));
    if support.has(Layer::Seccomp) {
        refused(socket, &[Errno::PERM]);
    }
}

#[test]
fn off_is_a_process_like_any_other() {
    let _watchdog = watchdog();
    let mut cell = Cell::start(INTRUDER, &off()).expect("it runs everywhere");
    assert!(cell.tries(Attempt::Read, "/etc/passwd").is_ok());
    assert_eq!(cell.child.left_out(), []);
    drop(cell.first);
    assert!(cell.child.wait().expect("it ends").success());
}

#[test]
fn strict_is_what_nobody_has_to_ask_for() {
    assert_eq!(Sandbox::default().mode, Mode::Strict);
}
