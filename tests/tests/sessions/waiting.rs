//! Servers that do not answer, and who waits for them.

use super::{COMPONENT, all_but, directory};
use portcullis_component::Quota;
use portcullis_component::host::{Exit, Host, Route};
use portcullis_tests::tree::{EACH, Puppet, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::time::{Duration, Instant};

/// More of them than there are lanes to the server.
#[test]
fn g21_a_server_that_does_not_answer_holds_up_nobody_else() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (tree, directory) = (Tree::new(), directory("g21"));
    tree.start(COMPONENT, "slow", &format!("slow {}", directory.display()), EACH);
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.start(COMPONENT, "one", "puppet", EACH);
    let stuck: Vec<String> = (0..20).map(|number| format!("stuck {number}")).collect();
    for name in &stuck {
        tree.rules.route(name, "log", Route::to("slow"));
        tree.start(COMPONENT, name, "eager waits", EACH);
    }
    tree.until(|host| directory.join("waits").exists() && host.sessions() == stuck.len());
    // While they wait, another one opens and closes; and its parent answers at once.
    tree.drive(|env| {
        let mut puppet = env.connect::<dyn Puppet>("one", &()).expect("it is there");
        puppet.churn(20).expect("the logger serves");
    });
    tree.until(|host| host.sessions() == stuck.len());
    assert!(stuck.iter().all(|name| tree.rules.ended(name).is_none()));
    std::fs::write(directory.join("go"), "").expect("it is writable");
    tree.until(|host| stuck.iter().all(|name| host.quota(name).is_none()) && host.sessions() == 0);
    assert!(stuck.iter().all(|name| tree.rules.ended(name) == Some(Exit::Code(0))));
    assert_eq!((tree.host.quota("slow"), tree.host.own_quota()), (Some(EACH), all_but(3)));
}

/// The same for those whose own parent asks for them, which has 16 lanes for all.
#[test]
fn g21_a_server_that_does_not_answer_holds_up_no_others_of_the_same_parent() {
    let _watchdog = Watchdog::start(Duration::from_secs(100));
    const WAITING: usize = 20;
    for role in ["hung", "slow"] {
        let (tree, directory) = (Tree::new(), directory(&format!("g21-{role}")));
        let began = Instant::now();
        let until = |what: &str, condition: &dyn Fn(&Host) -> bool| {
            tree.until(|host| {
                assert!(began.elapsed() < Duration::from_secs(40), "{what}: {} sessions", host.sessions());
                condition(host)
            });
        };
        tree.start(COMPONENT, "logger", &format!("{role} {}", directory.display()), EACH);
        tree.start(COMPONENT, "timer", "timer", EACH);
        let quota = Quota::new(2 << 20, 2_000);
        tree.start(COMPONENT, "crowd", &format!("crowd {WAITING} {}", directory.display()), quota);
        until("not all wait", &|host| host.sessions() == WAITING);
        assert!(tree.host.demand("crowd", Quota::NONE));
        until("another one is not served", &|_| directory.join("done").exists());
        // Those who wait are answered in the end.
        tree.host.kill("logger");
        until("some still wait", &|host| host.sessions() == 0);
        assert_eq!(tree.host.quota("crowd"), Some(quota));
    }
}
