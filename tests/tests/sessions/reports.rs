//! What is reported, and read as a ROM: both by dataspaces that the server makes on its clients' donations.

use super::COMPONENT;
use portcullis_component::{Connection, Env, Error, Quota};
use portcullis_sessions::report::{Arguments, Report, ReportBuffer, ReportConnection};
use portcullis_sessions::rom::{Rom, RomAsync, RomConnection};
use portcullis_shm::{RamQuota, Window};
use portcullis_tests::executor::block_on;
use portcullis_tests::tree::{EACH, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A content that no two of its pages have in common.
fn content(length: u32) -> Vec<u8> {
    (0..length).map(|byte| (byte % 251).to_le_bytes()[0]).collect()
}

/// The test's own code, beside a board; afterwards nothing of it is left there.
fn with_board<R: Send + 'static>(code: impl FnOnce(&Env) -> R + Send + 'static) -> R {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "board", "board", EACH);
    let result = tree.drive(code);
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.host.quota("board"), Some(EACH));
    result
}

#[test]
fn scenario_23_report_rom_what_was_read_outlives_the_reporter_and_a_second_one_is_denied() {
    with_board(|env| {
        let before = env.budget().expect("it answers");
        let content = content(8192);
        let mut report = ReportConnection::new(env, "state", 8192).expect("it is served");
        report.report(&content).expect("it fits");
        let one = RamQuota::bytes(1);
        assert_eq!(report.report(&[0; 8193]), Err(Error::InsufficientRamQuota { missing: one }));

        let second = ReportConnection::new(env, "state", 8192).map(drop);
        assert!(matches!(second, Err(Error::ServiceDenied { .. })), "{second:?}");

        let mut rom = RomConnection::new(env, "state").expect("it is served");
        assert_eq!(rom.newest().expect("it pays for the copy"), content);
        report.close().expect("it is open");
        let copy = |rom: &RomConnection| {
            rom.view().ok().flatten().and_then(|copy| copy.to_vec().ok()).expect("the copy is its own")
        };
        assert_eq!(copy(&rom), content);

        // Another one may report now.
        let mut report = ReportConnection::new(env, "state", 8192).expect("the name is free");
        report.report(b"new").expect("it fits");
        assert_eq!(copy(&rom), content, "until it is asked for");
        assert_eq!(rom.newest().as_deref(), Ok(&b"new"[..]));
        report.close().expect("it is open");
        rom.close().expect("it is open");
        assert_eq!(env.budget(), Ok(before));
    });
}

#[test]
fn scenario_24_dynamic_config_every_change_is_seen_until_the_counter_is_11() {
    let seen = with_board(|env| {
        let mut rom = RomConnection::new(env, "config").expect("it is served");
        let mut report = ReportConnection::new(env, "config", 64).expect("it is served");
        let mut seen = Vec::new();
        let mut number = rom.refresh().expect("there is room").number;
        for counter in 1..=11_u32 {
            // Asked before there is a change, and answered by it.
            let changed = rom.changed_async(number);
            report.report(counter.to_string().as_bytes()).expect("it fits");
            number = block_on(changed).expect("it is answered");
            seen.push(String::from_utf8(rom.newest().expect("there is room")).expect("it is a number"));
        }
        seen
    });
    let all: Vec<String> = (1..=11).map(|counter: u32| counter.to_string()).collect();
    assert_eq!(seen, all);
}

#[test]
fn g30_a_rom_of_1_mib_arrives_as_one_dataspace_that_can_but_be_read() {
    with_board(|env| {
        let content = content(1 << 20);
        let mut report = ReportConnection::new(env, "large", 1 << 20).expect("it donates as much");
        report.report(&content).expect("it fits");
        let mut rom = RomConnection::new(env, "large").expect("it is served");
        let version = rom.refresh().expect("it donates as much");
        assert_eq!((version.size, version.dataspace), (1 << 20, 1));
        let capability = rom.dataspace().expect("it answers").expect("there is content");
        let dataspace = capability.import().expect("it is one");
        assert!(!dataspace.is_writable());
        let attached = dataspace.attach(Window::WHOLE).expect("there are addresses");
        let first = attached.view(0, 1 << 20).and_then(portcullis_shm::View::to_vec);
        assert!(first.as_ref() == Ok(&content), "it is the content");
        assert_eq!(attached.copy_from(0, b"x"), Err(portcullis_shm::Error::ReadOnly));
        assert!(rustix::io::pwrite(&*capability, b"x", 0).is_err(), "nor by the descriptor");

        // Each newer one that fits comes in the same dataspace.
        report.report(b"small").expect("it fits");
        let version = rom.refresh().expect("there is room");
        assert_eq!((version.size, version.dataspace), (5, 1));
        assert_eq!(attached.read::<[u8; 5]>(0), Ok(*b"small"));
    });
}

/// Nobody can take back what is sealed against writers, so a client pays for all that it was given: but a content that grows and grows
/// costs it no more than a few times its size.
#[test]
fn a_rom_that_grows_step_by_step_costs_at_most_four_times_its_size() {
    with_board(|env| {
        let mut report = ReportConnection::new(env, "growing", 256 << 10).expect("it donates as much");
        env.ask(Quota::new(4 << 20, 0)).expect("it is granted");
        let before = env.budget().expect("it answers");
        let mut rom = RomConnection::new(env, "growing").expect("it is served");
        for pages in 1..=64_u32 {
            let content = content(pages * 4096);
            report.report(&content).expect("it fits");
            assert!(rom.newest().as_ref() == Ok(&content));
        }
        let left = env.budget().expect("it answers");
        let cost = before.ram.in_bytes() - left.ram.in_bytes();
        assert!(cost <= 4 * (256 << 10), "{cost} bytes");
        rom.close().expect("it is open");
        assert_eq!(env.budget(), Ok(before));
    });
}

/// The villain writes its buffer without end while it submits. What is reported is what the server copied at once: it does not change
/// any more, and no reader gets more than was said.
#[test]
fn attack_10_a_report_that_is_rewritten_in_submit_is_one_copy() {
    with_board(|env| {
        const SIZE: u32 = 64 << 10;
        let mut report =
            env.connect::<dyn Report>("villain", &Arguments { size: SIZE }).expect("it is served");
        let capability = report.dataspace().expect("it answers");
        let buffer = capability.attach(Window::WHOLE).expect("it is a dataspace");
        let goes_on = AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for byte in (1..=255_u8).cycle() {
                    if !goes_on.load(Ordering::Relaxed) {
                        return;
                    }
                    buffer.copy_from(0, &[byte; SIZE as usize]).expect("the session is open");
                }
            });
            let mut rom = RomConnection::new(env, "villain").expect("it is served");
            for round in 0..20 {
                // Lengths that the buffer does not have, between those that it has.
                let beyond = report.submit(if round % 2 == 0 { SIZE + 1 } else { u32::MAX });
                assert!(matches!(beyond, Err(Error::Memory { .. })), "{beyond:?}");
                let length = SIZE - round;
                report.submit(length).expect("it has as many");
                let first = rom.newest().expect("it answers");
                assert_eq!(u32::try_from(first.len()), Ok(length));
                assert!((0..5).all(|_| rom.newest().as_ref() == Ok(&first)), "it does not change any more");
            }
            goes_on.store(false, Ordering::Relaxed);
        });
    });
}

/// The villain takes its buffer's pages out while the server reads: they are zeros then, and the server lives.
#[test]
fn attack_26_a_report_whose_pages_are_taken_out_is_zeros_at_worst() {
    with_board(|env| {
        let mut report =
            env.connect::<dyn Report>("holes", &Arguments { size: 65_536 }).expect("it is served");
        let capability = report.dataspace().expect("it answers");
        let buffer = report.attach().expect("it is a dataspace");
        let mut rom = RomConnection::new(env, "holes").expect("it is served");
        for _ in 0..10 {
            buffer.fill(&[1; 65_536]).expect("it has room");
            let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
            rustix::fs::fallocate(&*capability, flags, 0, 32_768).expect("it can be written");
            report.submit(65_536).expect("the server lives");
            let read = rom.newest().expect("the server lives");
            assert!(read[..32_768] == [0; 32_768] && read[32_768..] == [1; 32_768]);
        }
    });
}

/// What a buffer costs is the donation's, and what the donation lacks is said at once, to the byte.
#[test]
fn attack_46_a_buffer_that_is_not_paid_for_is_refused_with_what_is_missing() {
    with_board(|env| {
        let size = Arguments { size: 10_000 };
        // Three pages and the owner's; the server's copy and the board's. Hop and server take the rest.
        let needed = 4 * 4096 + 2 * 10_000;
        let quota = Quota::new(2048 + 1024 + needed, 3);
        let before = env.budget().expect("it answers");
        // To the byte; and what is one byte short, or all but the hop's, is made up for by as much as that.
        for donated in [needed, needed - 1, 0] {
            let less = Quota::new(2048 + 1024 + donated, 3);
            let report =
                env.connecting("exact").donating(less).open::<dyn Report>(&size).expect("it is served");
            let open = env.budget().expect("it answers");
            assert_eq!(before.checked_sub(open), Some(quota));
            Connection::close(report).expect("it is open");
        }
    });
}
