//! Who sleeps is woken by a free of the dataspace, whoever sleeps and whoever frees.
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{dataspace, geometry};
use portcullis_ipc::{Deadline, WaitPolicy};
use portcullis_packet_stream::{Duplex, Error, Sink, Source};
use portcullis_shm::{Attachment, Attributes, Dataspace, DataspaceCapability, Window};
use rustix::thread::Pid;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// At its deadline a sleeper looks once more and sees the free in any case.
const LIMIT: Duration = Duration::from_secs(60);
const FAR: Deadline = Deadline::After(LIMIT);
const REVOKED: Error = Error::Memory(portcullis_shm::Error::Revoked);
const ROUNDS: u32 = 30;

/// Where the source and the sink say what they attend to, and that they sleep.
const SOURCE: usize = 128;
const SINK: usize = 2 * 128;
const SLEEPS: u32 = 4;

fn until_it_sleeps(memory: &Attachment, party: usize) {
    while memory.atomic_u32(party).unwrap().load(Ordering::Acquire) & SLEEPS == 0 {
        std::thread::yield_now();
    }
}

/// Frees a dataspace in which somebody sleeps, and answers with what that one says.
fn freed_under<R: Send + 'static>(
    dataspace: Dataspace,
    party: usize,
    sleep: impl FnOnce() -> R + Send + 'static,
) -> R {
    let memory = dataspace.attach(Window::WHOLE).unwrap();
    let begin = Instant::now();
    let sleeper = std::thread::spawn(sleep);
    until_it_sleeps(&memory, party);
    drop(dataspace);
    let woken = sleeper.join().unwrap();
    assert!(begin.elapsed() < LIMIT / 2, "it was its deadline that ended it");
    woken
}

fn attach(dataspace: &Dataspace, as_owner: bool) -> Attachment {
    let foreign = || dataspace.capability().attach(Window::WHOLE);
    if as_owner { dataspace.attach(Window::WHOLE) } else { foreign() }.unwrap()
}

#[test]
fn g31_a_free_wakes_a_sink_that_sleeps() {
    for as_owner in [false, true].repeat(ROUNDS as usize) {
        let dataspace = dataspace::<u8>(geometry());
        let mut sink = Sink::<u8>::new(attach(&dataspace, as_owner), geometry()).unwrap();
        sink = sink.with_wait_policy(WaitPolicy::Block);
        let woken = freed_under(dataspace, SINK, move || sink.get(FAR).map(drop));
        assert_eq!(woken, Err(REVOKED), "as owner: {as_owner}");
    }
}

#[test]
fn g31_a_free_wakes_a_source_that_sleeps() {
    for as_owner in [false, true].repeat(ROUNDS as usize) {
        let dataspace = dataspace::<u8>(geometry());
        let mut source = Source::<u8>::new(attach(&dataspace, as_owner), geometry()).unwrap();
        source = source.with_wait_policy(WaitPolicy::Block);
        let woken = freed_under(dataspace, SOURCE, move || source.acknowledged(FAR).map(drop));
        assert_eq!(woken, Err(REVOKED), "as owner: {as_owner}");
    }
}

/// Of the two streams that it sleeps on, the one whose dataspace is freed is the second.
#[test]
fn g31_a_free_wakes_who_sleeps_on_two_streams() {
    for as_owner in [false, true].repeat(ROUNDS as usize) {
        let (out, back) = (dataspace::<u8>(geometry()), dataspace::<u8>(geometry()));
        let attached = [attach(&out, as_owner), attach(&back, as_owner)];
        let mut end = Duplex::<u8, u8>::first(attached, [geometry(); 2]).unwrap();
        let woken = freed_under(back, SINK, move || end.wait(FAR));
        assert_eq!(woken, Err(REVOKED), "as owner: {as_owner}");
    }
}

/// How often this thread has given up its core by itself.
fn times_asleep() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let times = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    times.unwrap().trim().parse().unwrap()
}

/// The word behind the content, as somebody leaves it who has no business there: no free has been, and none is seen.
#[test]
fn attack_21_garbage_in_the_word_of_a_free_makes_nobody_look_all_the_time() {
    let dataspace = dataspace::<u8>(geometry());
    let capability = dataspace.capability();
    let behind = geometry().bytes::<u8>().next_multiple_of(4096) as u64;
    assert_eq!(rustix::io::pwrite(&capability, &[0xEE; 8], behind), Ok(8));
    for as_owner in [false, true] {
        let mut sink = Sink::<u8>::new(attach(&dataspace, as_owner), geometry()).unwrap();
        sink = sink.with_wait_policy(WaitPolicy::Block);
        let before = times_asleep();
        let soon = Deadline::After(Duration::from_millis(50));
        assert_eq!(sink.get(soon).map(drop), Err(Error::DeadlineExceeded));
        assert!(times_asleep() > before, "it looked until its deadline and never slept");
    }
}

/// Until a thread of this process sleeps in the kernel, for whatever reason.
fn until_the_kernel_has_it(thread: Pid) {
    let stat = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
    while !std::fs::read_to_string(&stat).unwrap().contains(") S ") {
        std::thread::yield_now();
    }
}

/// Whoever can write the word can clear it and wake nobody, and so does an owner that is killed in between. Then another thread
/// that finds it cleared takes the pages away on which this one sleeps, and who rings the bell does so in others.
#[test]
fn attack_21_a_word_that_is_cleared_without_a_wake_makes_no_sleeper_deaf() {
    for _ in 0..ROUNDS {
        let dataspace = dataspace::<u8>(geometry());
        let (memory, capability) = (dataspace.attach(Window::WHOLE).unwrap(), dataspace.capability());
        let foreign = capability.import().unwrap();
        let mut sink = Sink::<u8>::new(foreign.attach(Window::WHOLE).unwrap(), geometry()).unwrap();
        sink = sink.with_wait_policy(WaitPolicy::Block);
        let hang_up = sink.hang_up();
        let (tell, told) = std::sync::mpsc::channel();
        let begin = Instant::now();
        let sleeper = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid()).unwrap();
            sink.get(FAR).map(drop)
        });
        until_it_sleeps(&memory, SINK);
        until_the_kernel_has_it(told.recv().unwrap());
        let behind = geometry().bytes::<u8>().next_multiple_of(4096) as u64;
        assert_eq!(rustix::io::pwrite(&capability, &[0; 8], behind), Ok(8));
        assert!(foreign.is_revoked());
        hang_up.peer_is_gone();
        assert_eq!(sleeper.join().unwrap(), Err(REVOKED));
        assert!(begin.elapsed() < LIMIT / 2, "it was its deadline that ended it");
    }
}

const ATTRIBUTES: &str = "PORTCULLIS_TEST_ATTRIBUTES";

#[test]
fn g31_a_free_wakes_who_sleeps_in_another_process() {
    for _ in 0..ROUNDS {
        let dataspace = dataspace::<u8>(geometry());
        let source = Source::<u8>::new(dataspace.attach(Window::WHOLE).unwrap(), geometry()).unwrap();
        let memory = dataspace.attach(Window::WHOLE).unwrap();
        let shared = dataspace.capability();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_other_process", "--nocapture"])
            .env(ATTRIBUTES, shared.attributes().bits().to_string())
            .stdin(shared.as_fd().try_clone_to_owned().unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until_it_sleeps(&memory, SINK);
        // In this order what the source says at its end reaches nobody any more.
        drop(dataspace);
        drop(source);
        assert!(child.wait().unwrap().success());
    }
}

/// What the test above starts; nothing in any other process.
#[test]
fn the_other_process() {
    let Ok(attributes) = std::env::var(ATTRIBUTES) else { return };
    let attributes = Attributes::from_bits(attributes.parse().unwrap());
    let memory: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let capability = DataspaceCapability::from_parts(memory, attributes);
    let mut sink = Sink::<u8>::new(capability.attach(Window::WHOLE).unwrap(), geometry()).unwrap();
    let begin = Instant::now();
    assert_eq!(sink.get(FAR).map(drop), Err(REVOKED));
    assert!(begin.elapsed() < LIMIT / 2, "it was its deadline that ended it");
}
