//! No descriptor but the declared ones, and no word of the environment.

use crate::{INTRUDER, watchdog};
use portcullis_component::sandbox::Program;
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{both, both_in, strict};
use rustix::io::FdFlags;
use std::fs::File;

#[test]
fn attack_49_descriptors_that_anybody_may_inherit_do_not_arrive() {
    let _watchdog = watchdog();
    // As careless code opens it: for each program that is started later.
    let careless = File::open("/etc/passwd").expect("it is there");
    let high = rustix::io::fcntl_dupfd_cloexec(&careless, 900).expect("there is room");
    for descriptor in [rustix::fd::AsFd::as_fd(&careless), rustix::fd::AsFd::as_fd(&high)] {
        rustix::io::fcntl_setfd(descriptor, FdFlags::empty()).expect("it is ours");
    }
    let Some((confined, free)) = both(INTRUDER) else { return };
    let number = std::os::fd::AsRawFd::as_raw_fd(&high);
    let inherited = free.tries(Attempt::Born, "").expect("it looked");
    assert!(inherited.contains(&format!("{number}:RegularFile")), "{inherited}");
    let declared = "0:RegularFile 1:RegularFile 2:RegularFile 3:Socket";
    assert_eq!(confined.tries(Attempt::Born, ""), Ok(declared.into()), "and not one more");
    let later = confined.tries(Attempt::Descriptors, "").expect("it looks");
    assert!(later.len() > declared.len(), "so that the above says something: {later}");
}

#[test]
fn attack_49_the_standard_streams_are_empty_and_sealed() {
    let _watchdog = watchdog();
    let Some((confined, _)) = both(INTRUDER) else { return };
    assert_eq!(
        confined.tries(Attempt::Panic, ""),
        Ok("true".into()),
        "what it prints is lost, and nothing breaks"
    );
    let call = |call: i64, arguments: &str| confined.tries(Attempt::Call, &format!("{call} {arguments}"));
    for stream in 0..3 {
        let size = call(libc::SYS_lseek, &format!("{stream} 0 {}", libc::SEEK_END));
        assert_eq!(size, Ok("0".into()));
        let longer = call(libc::SYS_ftruncate, &format!("{stream} 1"));
        crate::refused(longer, &[rustix::io::Errno::INVAL, rustix::io::Errno::PERM]);
        let written = call(libc::SYS_write, &format!("{stream} 0 0"));
        crate::refused(written, &[rustix::io::Errno::BADF]);
    }
}

#[test]
fn attack_49_the_environment_is_what_was_declared() {
    let _watchdog = watchdog();
    let program = Program::new(INTRUDER).variable("DECLARED", "yes");
    let Some((confined, free)) = both_in(&program, &strict()) else { return };
    assert_eq!(confined.tries(Attempt::Environment, ""), Ok("DECLARED".into()));
    let inherited = free.tries(Attempt::Environment, "").expect("it looks");
    let ours =
        std::env::vars().map(|(name, _)| name).find(|name| name.starts_with("CARGO")).or(Some("PATH".into()));
    assert!(inherited.contains(&ours.expect("there is one")), "{inherited}");
}
