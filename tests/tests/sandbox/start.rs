//! How a confined component starts and ends.

use crate::{INTRUDER, watchdog};
use portcullis_component::sandbox::{Error, Program, Sandbox, Support};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{Cell, both, strict};
use rustix::fs::{CWD, FileType, Mode, inotify};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn strict_a_component_is_called_at_once_and_ends_when_nobody_needs_it() {
    let _watchdog = watchdog();
    let Some((mut confined, _)) = both(INTRUDER) else { return };
    assert_eq!(confined.tries(Attempt::Thread, ""), Ok("7".into()));
    drop(confined.first);
    assert!(confined.child.wait().expect("it can be waited for").success());
}

#[test]
fn strict_a_killed_component_is_gone_and_its_capability_dead() {
    let _watchdog = watchdog();
    let Some((mut confined, _)) = both(INTRUDER) else { return };
    assert_eq!(confined.child.try_wait().expect("it can be asked"), None);
    assert_eq!(confined.child.kill().expect("it can be killed").signal(), Some(9));
    let mut answer = portcullis_ipc::MsgBuf::new();
    let called = confined.first.call(&portcullis_ipc::MsgBuf::new(), &mut answer);
    assert_eq!(called, Err(portcullis_ipc::Error::Disconnected));
}

#[test]
fn strict_what_is_no_program_is_an_error_that_says_so() {
    let _watchdog = watchdog();
    let start = |path: &str, sandbox: &Sandbox| Cell::start(path, sandbox).map(drop);
    assert!(matches!(start("/nonexistent", &strict()), Err(Error::File { .. })));
    assert!(matches!(start("/etc/passwd", &strict()), Err(Error::NotAProgram(_))));
    let upwards = Sandbox { readable: vec!["/usr/../etc".into()], ..strict() };
    assert!(matches!(start(INTRUDER, &upwards), Err(Error::Unusable(_))));
    let null = Program::new(INTRUDER).argument("a\0b");
    assert!(matches!(Cell::start_program(&null, &strict()).map(drop), Err(Error::Unusable(_))));
}

/// Whoever names the program may be confined itself, and hold up or do by that what it cannot do itself.
#[test]
fn strict_nothing_is_opened_but_files_whoever_named_it() {
    let _watchdog = watchdog();
    let pipe = node("pipe", FileType::Fifo, 0).expect("there is a place for temporary files");
    let as_program = starts(pipe.clone(), strict());
    let as_file = starts(INTRUDER.into(), Sandbox { readable: vec![pipe.clone()], ..strict() });
    std::fs::remove_file(pipe).expect("it is ours");
    assert!(matches!(as_program, Err(Error::NotAProgram(_))), "{as_program:?}");
    assert!(matches!(&as_file, Err(Error::File { reason, .. }) if reason.kind() == ErrorKind::InvalidInput));

    // What opens a device may have it do something.
    let Ok(device) = node("device", FileType::CharacterDevice, rustix::fs::makedev(1, 3)) else {
        return assert!(!crate::root(), "root can make one");
    };
    let opened = inotify::init(inotify::CreateFlags::NONBLOCK).expect("there are descriptors");
    inotify::add_watch(&opened, &device, inotify::WatchFlags::OPEN).expect("it is there");
    let as_program = starts(device.clone(), strict());
    let opened = rustix::io::read(opened, &mut [0; 256][..]);
    std::fs::remove_file(device).expect("it is ours");
    assert!(matches!(as_program, Err(Error::NotAProgram(_))), "{as_program:?}");
    assert_eq!(opened, Err(rustix::io::Errno::AGAIN));
}

/// Something that is no file, under a name of its own.
fn node(name: &str, kind: FileType, device: u64) -> rustix::io::Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("portcullis-{}-{name}", std::process::id()));
    rustix::fs::mknodat(CWD, &path, kind, Mode::from_raw_mode(0o755), device).map(|()| path)
}

/// Starts a component, on a thread: it is not to be waited for any longer than that.
fn starts(program: PathBuf, sandbox: Sandbox) -> Result<(), Error> {
    let (to_us, started) = mpsc::channel();
    std::thread::spawn(move || to_us.send(Cell::start_program(&Program::new(program), &sandbox).map(drop)));
    started.recv_timeout(Duration::from_secs(20)).expect("it waits for nobody")
}

#[test]
fn strict_a_step_that_the_kernel_refuses_is_named() {
    let _watchdog = watchdog();
    let copy = std::env::temp_dir().join(format!("portcullis-{}-not-executable", std::process::id()));
    std::fs::copy(INTRUDER, &copy).expect("there is a place for temporary files");
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    let path = copy.to_str().expect("the path is a text").to_owned();
    let started = Cell::start(&path, &strict()).map(drop);
    std::fs::remove_file(copy).expect("it is ours");
    let error = started.expect_err("nobody may run it");
    if Support::of_this_system().expect("there is room to try it").strict() {
        assert!(matches!(error, Error::Step { what: "running its program", .. }), "{error:?}");
        assert!(error.to_string().contains("executable for the user"), "{error}");
    } else {
        assert!(matches!(error, Error::Lacking { .. }), "{error:?}");
    }
}
