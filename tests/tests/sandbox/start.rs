//! How a confined component starts and ends.

use crate::{INTRUDER, watchdog};
use portcullis_component::sandbox::{Error, Program, Sandbox, Support};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{Cell, both, strict};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;

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
