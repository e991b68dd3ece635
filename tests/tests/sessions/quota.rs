//! Quota: who pays, what is missing, and what comes back.

use super::{COMPONENT, all_but};
use portcullis_component::host::{Exit, Route, Wish};
use portcullis_component::{Connection, Error, Quota};
use portcullis_sessions::log::Log;
use portcullis_tests::resources::eventually;
use portcullis_tests::tree::{ALL, EACH, Puppet, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::time::Duration;

#[test]
fn what_is_donated_too_little_is_made_up_for_from_the_budget() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "logger", "logger", EACH);
    let spent = tree.drive(|env| {
        let before = env.budget().expect("it answers");
        let log = env.connecting("poor").donating(Quota::NONE).open::<dyn Log>(&()).expect("it is retried");
        let open = env.budget().expect("it answers");
        Connection::close(log).expect("it is open");
        assert_eq!(env.budget(), Ok(before));
        before.checked_sub(open)
    });
    // What the hop keeps and what the server needs, to the byte and the capability.
    assert_eq!(spent, Some(Quota::new(2048 + 1024, 1 + 1)));
}

#[test]
fn an_upgrade_reaches_the_server_and_comes_back_with_the_rest() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.drive(|env| {
        let before = env.budget().expect("it answers");
        let log = env.connect::<dyn Log>("grows", &()).expect("the logger serves");
        let open = env.budget().expect("it answers");
        let more = Quota::new(5000, 3);
        Connection::upgrade(&log, more).expect("there is as much");
        assert_eq!(env.budget().ok().and_then(|left| left.checked_add(more)), Some(open));
        Connection::close(log).expect("it is open");
        assert_eq!(env.budget(), Ok(before));
    });
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.host.quota("logger"), Some(EACH));
}

/// Memory and capabilities, by a session and by an upgrade: each is exhausted, and recovers when the parent grants more.
#[test]
fn scenario_16_resource_request_four_ways_of_exhaustion_recover() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    for (donation, upgrade) in [
        (Quota::new(2 << 20, 4), Quota::NONE),
        (Quota::new(8192, 2_000), Quota::NONE),
        (Quota::new(8192, 4), Quota::new(2 << 20, 0)),
        (Quota::new(8192, 4), Quota::new(0, 2_000)),
    ] {
        for wish in [Wish::Granted, Wish::Refused] {
            let tree = Tree::new();
            tree.rules.wishes(wish);
            tree.start(COMPONENT, "logger", "logger", EACH);
            let opened = tree.drive(move |env| {
                let log = env.connecting("rich").donating(donation).open::<dyn Log>(&())?;
                Connection::upgrade(&log, upgrade)?;
                Connection::close(log)
            });
            match wish {
                Wish::Granted => assert_eq!(opened, Ok(())),
                _ => assert!(
                    matches!(opened, Err(Error::OutOfRam { .. } | Error::OutOfCaps { .. })),
                    "{opened:?}"
                ),
            }
            tree.until(|host| host.sessions() == 0);
            assert_eq!(tree.host.quota("logger"), Some(EACH));
            assert_eq!(tree.host.own_quota(), all_but(1), "what was granted went back with the driver");
        }
    }
}

#[test]
fn scenario_16_a_wish_may_wait_until_the_parent_gives() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.rules.wishes(Wish::Waits);
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.start(COMPONENT, "greedy", "puppet", Quota::new(1024, 10));
    tree.rules.route("greedy", "log", Route::to("logger"));
    // It has not as much as its hop keeps; so whoever opens its log waits for the parent.
    tree.start(COMPONENT, "poor", "eager hello", Quota::new(1024, 10));
    tree.until(|host| host.wish_of("poor").is_some());
    assert_eq!(tree.host.wish_of("poor"), Some(Quota::new(8192 - 1024, 0)));
    tree.host.give("poor", Quota::new(8192, 0)).expect("the parent has it");
    tree.until(|host| host.quota("poor").is_none() && host.sessions() == 0);
    assert_eq!(tree.rules.ended("poor"), Some(Exit::Code(0)));
}

#[test]
fn scenario_17_resource_yield_a_child_gives_back_5_mib_whenever_it_is_asked() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    let (rich, five) = (Quota::new(32 << 20, 100), Quota::new(5 << 20, 0));
    tree.start(COMPONENT, "hoarder", "puppet", rich);
    tree.drive(|env| {
        let mut puppet = env.connect::<dyn Puppet>("hoarder", &()).expect("it is there");
        puppet.hoard(Quota::new(5 << 20, 0)).expect("it is told");
    });
    tree.until(|host| host.sessions() == 0);
    for times in 1..=5 {
        let before = tree.host.own_quota();
        assert!(tree.host.demand("hoarder", five));
        tree.until(|host| host.own_quota() != before);
        assert_eq!(before.checked_add(five), Some(tree.host.own_quota()));
        let given = Quota::new((5 << 20) * times, 0);
        assert_eq!(rich.checked_sub(given), tree.host.quota("hoarder"));
    }
}

/// By a child that is asked for it, which frees what it owes, or gives.
#[test]
fn scenario_17_quota_that_comes_back_is_told_to_whoever_decides_about_it() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "hoarder", "puppet", EACH);
    let comes_back = |gives: Quota| {
        tree.until(|host| host.sessions() == 0);
        let (told, before) = (tree.rules.changes(), tree.host.own_quota());
        assert!(tree.host.demand("hoarder", gives));
        tree.until(|host| host.own_quota() != before);
        assert_eq!(tree.rules.changes(), told + 1);
        tree.host.own_quota().checked_sub(before)
    };
    tree.drive(|env| {
        let mut puppet = env.connect::<dyn Puppet>("hoarder", &()).expect("it is there");
        puppet.hoard(Quota::NONE).expect("it is told");
        puppet.allocate(500_000).map(drop).expect("it has as much");
    });
    tree.until(|host| host.sessions() == 0);
    assert!(tree.host.take("hoarder", EACH));
    let owed = Quota::new(124 * 4096, 0);
    assert_eq!(tree.host.debt("hoarder"), Some(owed));
    assert_eq!(comes_back(Quota::NONE), Some(owed));

    tree.host.give("hoarder", EACH).expect("the parent has it");
    let some = Quota::new(1000, 1);
    tree.drive(move |env| {
        let mut puppet = env.connect::<dyn Puppet>("hoarder", &()).expect("it is there");
        puppet.hoard(some).expect("it is told");
    });
    assert_eq!(comes_back(some), Some(some));
}

#[test]
fn scenario_21_ten_times_ten_sessions_and_one_that_offers_nothing() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "logger", "logger", EACH);
    let (before, after) = tree.drive(|env| {
        let before = env.budget().expect("it answers");
        for round in 0..10 {
            let open = |number| {
                let connecting = env.connecting("stress");
                let poor = number == round;
                let connecting = if poor { connecting.donating(Quota::NONE) } else { connecting };
                connecting.open::<dyn Log>(&()).expect("the logger serves")
            };
            let mut logs: Vec<_> = (0..10).map(open).collect();
            for log in &mut logs {
                log.write("x").expect("it is open");
            }
            // Half of them in one way, half in the other.
            logs.split_off(5).into_iter().for_each(|log| Connection::close(log).expect("it is open"));
        }
        (before, eventually(|| env.budget() == Ok(before)).then_some(before))
    });
    assert_eq!(after, Some(before));
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.host.quota("logger"), Some(EACH));
}

#[test]
fn attack_46_session_storm_theft_and_overflow_are_refused_and_a_bystander_notices_nothing() {
    let _watchdog = Watchdog::start(Duration::from_secs(120));
    let tree = Tree::new();
    tree.rules.wishes(Wish::Granted);
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.start(COMPONENT, "bystander", "puppet", EACH);
    tree.start(COMPONENT, "raider", "raider", EACH);
    tree.drive(|env| {
        let mut puppet = env.connect::<dyn Puppet>("bystander", &()).expect("it is there");
        for _ in 0..20 {
            puppet.churn(10).expect("nobody disturbs it");
        }
    });
    tree.until(|host| host.quota("raider").is_none() && host.sessions() == 0);
    assert_eq!(tree.rules.ended("raider"), Some(Exit::Code(0)), "the number of what was not refused");
    assert_eq!((tree.host.quota("logger"), tree.host.quota("bystander")), (Some(EACH), Some(EACH)));
    assert_eq!(tree.host.own_quota(), all_but(2));
}

/// The thief spends what it has, the donation included, on a session of its own, and so cannot give it back.
#[test]
fn attack_46_a_server_that_spends_what_it_was_donated_owes_it_and_pays_with_the_first_that_it_gets() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "logger", "logger", EACH);
    tree.start(COMPONENT, "thief", "thief", EACH);
    tree.rules.route("driver", "log", Route::to("thief"));
    let (before, closed) = tree.drive(|env| {
        let before = env.budget().expect("it answers");
        let log = env.connect::<dyn Log>("victim", &()).expect("the thief serves");
        Connection::close(log).expect("it is closed");
        (before, env.budget().expect("it answers"))
    });
    // The hop's cost is back; what the thief has of it is not, and is nobody else's either.
    let stolen = Quota::new(8192 - 2048, 4 - 1);
    assert_eq!(closed.checked_add(stolen), Some(before));
    assert_eq!((tree.host.quota("thief"), tree.host.debt("thief")), (Some(Quota::NONE), Some(stolen)));
    // The driver has ended meanwhile: what it is owed is its parent's.
    tree.host.give("thief", stolen).expect("the parent has it");
    assert_eq!((tree.host.quota("thief"), tree.host.debt("thief")), (Some(Quota::NONE), Some(Quota::NONE)));
    tree.host.kill("thief");
    tree.until(|host| host.quota("thief").is_none() && host.sessions() == 0);
    assert_eq!(tree.host.own_quota(), all_but(1));
    tree.host.kill("logger");
    tree.until(|host| host.quota("logger").is_none());
    assert_eq!(tree.host.own_quota(), ALL);
}
