//! A session from its beginning to its end.

use super::{COMPONENT, all_but, directory};
use portcullis_component::host::{Exit, Host};
use portcullis_component::{Connection, Error, Quota};
use portcullis_rpc::Deadline;
use portcullis_sessions::log::Log;
use portcullis_tests::resources::eventually;
use portcullis_tests::tree::{EACH, Puppet, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn g14_a_component_opens_a_session_of_another_and_all_is_back_when_it_closes() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.start(COMPONENT, "one", "puppet", EACH);
    let (before, open, after) = tree.drive(|env| {
        let mut puppet = env.connect::<dyn Puppet>("one", &()).expect("it is there");
        let before = puppet.budget().expect("it answers");
        let log = puppet.open("hello", None).expect("the logger serves");
        puppet.write(log, "good day").expect("the session is open");
        let open = puppet.budget().expect("it answers");
        puppet.close(log).expect("it was open");
        (before, open, puppet.budget().expect("it answers"))
    });
    // What the driver donated, less what its hop keeps.
    assert_eq!(before, Quota::new((1 << 20) + 8192 - 2048, 1_000 + 4 - 1));
    assert_eq!(open.checked_add(Quota::new(8192, 4)), Some(before));
    assert_eq!(after, before);
    tree.until(|host| host.sessions() == 0);
    assert_eq!((tree.host.quota("logger"), tree.host.quota("one")), (Some(EACH), Some(EACH)));
    assert_eq!(tree.host.own_quota(), all_but(2));
}

#[test]
fn a_program_that_the_attribute_made_runs_as_a_component() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (tree, directory) = (Tree::new(), directory("greeter"));
    let file = directory.join("lines");
    let _ = std::fs::remove_file(&file);
    tree.start(COMPONENT, "logger", &format!("logger {}", file.display()), EACH);
    tree.start(env!("CARGO_BIN_EXE_greeter"), "greeter", "none", EACH);
    tree.until(|host| host.quota("greeter").is_none() && host.sessions() == 0);
    assert_eq!(tree.rules.ended("greeter"), Some(Exit::Code(3)));
    assert_eq!(std::fs::read_to_string(&file).expect("it was written"), "[greeter -> greeting] good day\n");
    assert_eq!((tree.host.quota("logger"), tree.host.own_quota()), (Some(EACH), all_but(1)));
}

/// The client is the child of a parent that is a child itself; the server is its uncle.
#[test]
fn a_thousand_sessions_opened_and_closed_leave_every_budget_at_every_hop_as_before() {
    let _watchdog = Watchdog::start(Duration::from_secs(120));
    let tree = Tree::new();
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.start(COMPONENT, "inner", "inner", EACH);
    let (before, after) = tree.drive(|env| {
        let mut puppet = env.connect::<dyn Puppet>("inner", &()).expect("the inner parent passes it on");
        puppet.churn(1).expect("the logger serves");
        let before = (env.budget().expect("it answers"), puppet.budget().expect("it answers"));
        // A few at a time: on a busy machine a call has to end before it is due.
        for _ in 0..100 {
            puppet.churn(10).expect("the logger serves");
        }
        (before, (env.budget().expect("it answers"), puppet.budget().expect("it answers")))
    });
    assert_eq!(before, after, "of the driver, and of the client two hops away");
    tree.until(|host| host.sessions() == 0);
    assert_eq!((tree.host.quota("logger"), tree.host.quota("inner")), (Some(EACH), Some(EACH)));
    assert_eq!(tree.host.own_quota(), all_but(2));
}

#[test]
fn a_session_waits_for_a_server_that_has_not_begun_yet() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    // It runs, and does not announce; the one that is started in its place does.
    tree.start(COMPONENT, "logger", "hung", EACH);
    tree.start(COMPONENT, "client", "eager hello", EACH);
    tree.until(|host| host.sessions() == 1);
    assert!(tree.rules.ended("client").is_none());
    tree.host.kill("logger");
    tree.until(|host| host.quota("client").is_none());
    assert_eq!(tree.rules.ended("client"), Some(Exit::Code(11)), "its server died before it served");
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.start(COMPONENT, "client", "eager hello", EACH);
    tree.until(|host| host.quota("client").is_none() && host.sessions() == 0);
    assert_eq!(tree.host.quota("logger"), Some(EACH));
    assert_eq!(tree.host.own_quota(), all_but(1));
}

/// A client that has ended, and a server that does not close its session before the file `hold` is gone.
fn closing(test: &str) -> (Tree, PathBuf) {
    let (tree, directory) = (Tree::new(), directory(test));
    for file in ["go", "hold"] {
        std::fs::write(directory.join(file), "").expect("it is writable");
    }
    tree.start(COMPONENT, "logger", &format!("slow {}", directory.display()), EACH);
    tree.start(COMPONENT, "client", "eager brief", EACH);
    tree.until(|host| host.quota("client").is_none());
    assert_eq!((tree.rules.ended("client"), tree.host.sessions()), (Some(Exit::Code(0)), 1));
    (tree, directory)
}

#[test]
fn scenario_27_a_client_that_is_removed_while_its_session_closes_leaves_nothing() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (tree, directory) = closing("hold");
    std::fs::remove_file(directory.join("hold")).expect("it is there");
    tree.until(|host| host.sessions() == 0);
    assert_eq!((tree.host.quota("logger"), tree.host.own_quota()), (Some(EACH), all_but(1)));
}

#[test]
fn attack_46_a_server_that_never_closes_keeps_of_a_dead_client_what_that_donated_and_no_more() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (tree, _directory) = closing("never");
    assert_eq!(tree.host.own_quota().checked_add(Quota::new(8192, 4)), Some(all_but(1)));
    // What it keeps is there again when it has ended.
    tree.host.kill("logger");
    tree.until(|host| host.quota("logger").is_none() && host.sessions() == 0);
    assert_eq!(tree.host.own_quota(), all_but(0));
}

#[test]
fn a_session_that_is_closed_before_it_is_made_is_closed_when_it_is() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (tree, directory) = (Tree::new(), directory("close"));
    tree.start(COMPONENT, "logger", &format!("slow {}", directory.display()), EACH);
    let all_back = tree.drive({
        let directory = directory.clone();
        move |env| {
            let before = env.budget().expect("it answers");
            // The deadline passes while the server makes it: the library closes what it asked for.
            let patience = Deadline::After(Duration::from_millis(200));
            let opened = env.connecting("given up").within(patience).open::<dyn Log>(&());
            assert!(matches!(opened, Err(Error::Rpc(_))), "{opened:?}");
            assert_ne!(env.budget(), Ok(before), "the server has it, and has not answered");
            std::fs::write(directory.join("go"), "").expect("it is writable");
            eventually(|| env.budget() == Ok(before))
        }
    });
    assert!(all_back);
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.host.quota("logger"), Some(EACH));
}

#[test]
fn a_client_that_is_killed_while_its_session_is_made_leaves_nothing() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (tree, directory) = (Tree::new(), directory("client"));
    tree.start(COMPONENT, "logger", &format!("slow {}", directory.display()), EACH);
    tree.start(COMPONENT, "client", "eager waits", EACH);
    tree.until(|_| directory.join("waits").exists());
    tree.host.kill("client");
    tree.until(|host| host.quota("client").is_none());
    assert_eq!(tree.host.sessions(), 1, "the server still makes it");
    std::fs::write(directory.join("go"), "").expect("it is writable");
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.rules.ended("client"), Some(Exit::Signal(9)));
    assert_eq!((tree.host.quota("logger"), tree.host.own_quota()), (Some(EACH), all_but(1)));
}

#[test]
fn a_server_that_is_killed_while_it_makes_a_session_is_an_error_at_the_client() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (tree, directory) = (Tree::new(), directory("server"));
    tree.start(COMPONENT, "logger", &format!("slow {}", directory.display()), EACH);
    tree.start(COMPONENT, "client", "eager waits", EACH);
    tree.until(|_| directory.join("waits").exists());
    tree.host.kill("logger");
    tree.until(|host| host.quota("client").is_none());
    assert_eq!(tree.rules.ended("client"), Some(Exit::Code(11)));
    // That its channel has ended may be seen before it has.
    tree.until(|host| host.sessions() == 0 && host.quota("logger").is_none());
    assert_eq!(tree.host.own_quota(), all_but(0));
}

#[test]
fn the_sessions_of_a_killed_server_are_errors_and_what_was_donated_comes_back() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "logger", "logger", EACH);
    let kill = Arc::new(AtomicBool::new(false));
    let to_kill = kill.clone();
    let meanwhile = move |host: &Host| {
        if kill.swap(false, Ordering::SeqCst) {
            host.kill("logger");
        }
    };
    tree.drive_and(meanwhile, move |env| {
        let before = env.budget().expect("it answers");
        let nobody = env.connect::<dyn Puppet>("one", &()).map(drop);
        assert!(matches!(nobody, Err(Error::ServiceDenied { .. })), "{nobody:?}");
        let mut log = env.connect::<dyn Log>("mine", &()).expect("the logger serves");
        log.write("before").expect("it lives");
        to_kill.store(true, Ordering::SeqCst);
        assert!(eventually(|| log.write("after").is_err()));
        Connection::close(log).expect("it is closed all the same");
        assert_eq!(env.budget(), Ok(before));
    });
    tree.until(|host| host.quota("logger").is_none());
    assert_eq!(tree.host.own_quota(), all_but(0));
}
