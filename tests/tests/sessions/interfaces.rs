//! The session interfaces, each served by a process of its own.

use super::{COMPONENT, directory};
use portcullis_component::host::Host;
use portcullis_component::{Error, Quota};
use portcullis_entrypoint::SignalReceiver;
use portcullis_ipc::Deadline;
use portcullis_sessions::log::{Log, LogText, MAX_TEXT};
use portcullis_sessions::report::{Arguments, Report, ReportConnection};
use portcullis_sessions::rom::{Rom, RomConnection};
use portcullis_sessions::timer::{Timer, TimerAsync};
use portcullis_shm::RamQuota;
use portcullis_tests::executor::block_on;
use portcullis_tests::resources::{eventually, switches};
use portcullis_tests::tree::{EACH, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::cell::Cell;
use std::time::{Duration, Instant};

#[test]
fn scenario_30_log_an_over_long_text_arrives_exactly_and_under_its_label() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let (tree, directory) = (Tree::new(), directory("log"));
    let file = directory.join("lines");
    let _ = std::fs::remove_file(&file);
    tree.start(COMPONENT, "logger", &format!("logger {}", file.display()), EACH);
    let lengths = [1, MAX_TEXT - 1, MAX_TEXT, MAX_TEXT + 1, 5000];
    tree.drive(move |env| {
        let mut log = env.connect::<dyn Log>("long", &()).expect("it is served");
        for length in lengths {
            log.print(&"x".repeat(length)).expect("it is taken");
        }
        log.print("\u{1b}[2J\rforged").expect("it is taken");
    });
    let lines = std::fs::read_to_string(&file).expect("the logger wrote it");
    let written: Vec<usize> = lines
        .lines()
        .map(|line| {
            line.strip_prefix("[driver -> long] ")
                .expect("each has its label")
                .chars()
                .filter(|c| *c == 'x')
                .count()
        })
        .collect();
    assert_eq!(written.iter().sum::<usize>(), lengths.iter().sum::<usize>());
    assert!(written.iter().all(|length| *length <= MAX_TEXT));
    assert!(!lines.contains('\u{1b}') && !lines.contains('\r'), "nobody forges another's line");
}

/// A timeout, another content: the signal says that, and a call says what.
#[test]
fn g33_a_signal_says_that_and_a_call_says_what() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "timer", "timer", EACH);
    tree.start(COMPONENT, "board", "board", EACH);
    tree.drive(|env| {
        let mut receiver = SignalReceiver::new(env.pd()).expect("there are descriptors");
        let (of_timer, timeout) = receiver.manage().expect("there is room");
        let (of_rom, changed) = receiver.manage().expect("there is room");
        let patience = Deadline::After(Duration::from_secs(10));

        let mut timer = env.connect::<dyn Timer>("", &()).expect("it is served");
        timer.sigh(timeout).expect("it is noted");
        let before = timer.now().expect("it answers");
        timer.trigger_once(2_000).expect("it is set");
        assert_eq!(receiver.wait(patience), Ok(of_timer));
        assert!(timer.now().expect("it answers") >= before + 2_000);
        timer.trigger_periodic(1_000).expect("it is set");
        for _ in 0..3 {
            assert_eq!(receiver.wait(patience), Ok(of_timer));
        }
        timer.trigger_periodic(0).expect("it is set");

        let mut report = ReportConnection::new(env, "news", 64).expect("it is served");
        let mut rom = RomConnection::new(env, "news").expect("it is served");
        report.report(b"old").expect("it fits");
        // There is something already.
        rom.update_signal(changed).expect("it is noted");
        let mut next = || loop {
            // One of the timer's may have been under way.
            if receiver.wait(patience) == Ok(of_rom) {
                return;
            }
        };
        next();
        assert_eq!(rom.newest().as_deref(), Ok(&b"old"[..]));
        report.report(b"new").expect("it fits");
        next();
        assert_eq!(rom.newest().as_deref(), Ok(&b"new"[..]));
    });
}

#[test]
fn attack_46_a_client_cannot_make_a_server_allocate_beyond_what_it_donated() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.rules.wishes(portcullis_component::host::Wish::Refused);
    tree.start(COMPONENT, "board", "board", EACH);
    tree.start(COMPONENT, "timer", "timer", EACH);
    tree.drive(|env| {
        let before = env.budget().expect("it answers");
        // Four gigabytes of buffer, whatever is donated.
        let huge = Arguments { size: u32::MAX };
        let opened = env.connecting("x").donating(Quota::new(8192, 4)).open::<dyn Report>(&huge);
        assert!(matches!(opened, Err(Error::OutOfRam { .. })), "{opened:?}");
        assert_eq!(env.budget(), Ok(before));

        // A reader pays for what he reads.
        let mut report = ReportConnection::new(env, "large", 100_000).expect("it donates as much");
        report.report(&[7; 100_000]).expect("it fits");
        let mut rom = env.connect::<dyn Rom>("large", &()).expect("it is served");
        // 25 pages and the owner's, out of what the default leaves when hop and server have had theirs.
        let missing = RamQuota::bytes(26 * 4096 - (8192 - 2048 - 1024));
        assert_eq!(rom.update(), Err(Error::InsufficientRamQuota { missing }));
        assert!(rom.dataspace().is_ok_and(|none| none.is_none()), "nothing was made");

        // Calls that wait cost as well.
        let quota = Quota::new(2048 + 1024 + 3 * 256, 4);
        let timer = env.connecting("").donating(quota).open::<dyn Timer>(&()).expect("it is served");
        let hour = 3_600_000_000;
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(timer.sleep_async(hour))).collect();
        let answers = waiting.iter_mut().map(|call| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let end = Instant::now() + Duration::from_millis(300);
            loop {
                let polled = call.as_mut().poll(&mut context);
                if polled.is_ready() || Instant::now() > end {
                    break polled;
                }
            }
        });
        let refused: Vec<bool> = answers.map(|answer| answer.is_ready()).collect();
        assert_eq!(refused, [false, false, false, true], "three are paid for");
        drop(waiting);
        // Whoever gives a sleep up has nothing more to pay for it, and has his way back.
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..100 {
            let mut sleep = Box::pin(timer.sleep_async(hour));
            assert!(sleep.as_mut().poll(&mut context).is_pending());
            drop(sleep);
            // It has come to the server by the time that this is answered.
            assert!(timer.clone().now().is_ok());
        }
        assert!(timer.clone().sleep(1).get().is_ok(), "there is quota for another one");
    });
    tree.until(|host| host.sessions() == 0);
    assert_eq!((tree.host.quota("board"), tree.host.quota("timer")), (Some(EACH), Some(EACH)));
}

#[test]
fn g20_a_timer_serves_many_clients_with_one_thread_and_sleeps_when_nobody_waits() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "timer", "timer", EACH);
    let most = Cell::new(0);
    let count_threads = |host: &Host| {
        let tasks =
            host.process("timer").and_then(|timer| std::fs::read_dir(format!("/proc/{timer}/task")).ok());
        most.set(most.get().max(tasks.map_or(0, Iterator::count)));
    };
    tree.drive_and(count_threads, |env| {
        // In every order, from several sessions, by tasks of one thread.
        let timers: Vec<_> =
            (0..4).map(|_| env.connect::<dyn Timer>("", &()).expect("it is served")).collect();
        let began = Instant::now();
        let waits = [40_000_u64, 10_000, 30_000, 20_000, 25_000, 5_000];
        let calls: Vec<_> =
            waits.iter().zip(timers.iter().cycle()).map(|(wait, timer)| timer.sleep_async(*wait)).collect();
        for (wait, call) in waits.iter().zip(calls) {
            block_on(call).expect("it is answered");
            assert!(began.elapsed() >= Duration::from_micros(*wait));
        }
        assert!(began.elapsed() < Duration::from_secs(2), "they waited beside each other");

        let mut timer = env.connect::<dyn Timer>("", &()).expect("it is served");
        let earlier = timer.now().expect("it answers");
        let later = timer.sleep(1_000).get().expect("it is answered");
        assert!(later >= earlier + 1_000);
        // What waits longer than its session ends with it.
        let patient = timer.clone().with_deadline(Deadline::After(Duration::from_millis(20)));
        assert!(patient.clone().sleep(60_000_000).get().is_err());
    });
    // Its own; that which watches its channels; those that close what came from strangers, one of which looks on. As many as
    // for one client.
    assert!(most.get() <= 4, "{}", most.get());
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.host.quota("timer"), Some(EACH));
}

#[test]
fn an_idle_component_wakes_up_for_nothing() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "timer", "timer", EACH);
    tree.drive(|env| {
        let mut timer = env.connect::<dyn Timer>("", &()).expect("it is served");
        timer.sleep(1_000).get().expect("it is answered");
    });
    tree.until(|host| host.sessions() == 0);
    let child = tree.host.process("timer").expect("it runs");
    // Until it has settled: then nothing for a while.
    let rests = || {
        let before = switches(child);
        std::thread::sleep(Duration::from_millis(300));
        switches(child) == before
    };
    assert!(eventually(rests));
}
