//! Waiting where the kernel, or somebody's filter, refuses to let a thread sleep on more than one word.
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{dataspace, geometry};
use portcullis_ipc::{Deadline, WaitPolicy};
use portcullis_packet_stream::{Duplex, Error, Sink};
use portcullis_shm::Window;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);
const REVOKED: Error = Error::Memory(portcullis_shm::Error::Revoked);

/// Runs this on a thread of its own, to which the call is refused for these reasons.
fn refused<R: Send + 'static>(reason: i32, run: impl FnOnce() -> R + Send + 'static) -> R {
    let confined = std::thread::spawn(move || {
        let rules = BTreeMap::from([(libc::SYS_futex_waitv, Vec::new())]);
        let refusing = SeccompAction::Errno(reason.cast_unsigned());
        let machine = std::env::consts::ARCH.try_into().unwrap();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusing, machine).unwrap();
        seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
        run()
    });
    confined.join().unwrap()
}

/// How often this thread has given up its core by itself.
fn times_asleep() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let times = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    times.unwrap().trim().parse().unwrap()
}

#[test]
fn who_waits_for_two_streams_sleeps_all_the_same() {
    for reason in [libc::ENOSYS, libc::EPERM] {
        let (out, back) = (dataspace::<u8>(geometry()), dataspace::<u8>(geometry()));
        let attached = || [&out, &back].map(|dataspace| dataspace.attach(Window::WHOLE).unwrap());
        let mut end = Duplex::<u8, u8>::first(attached(), [geometry(); 2]).unwrap();
        end.sink = end.sink.with_wait_policy(WaitPolicy::Block);
        let (end, waited, times) = refused(reason, move || {
            let before = times_asleep();
            let waited = end.wait(Deadline::After(Duration::from_millis(50)));
            (end, waited, times_asleep() - before)
        });
        assert_eq!(waited, Err(Error::DeadlineExceeded));
        assert!(times > 1, "it looked until its deadline and never slept");
        drop(end);
    }
}

/// Either stream: the bell that it sleeps on, and the one that it looks at.
#[test]
fn who_waits_for_two_streams_sees_what_comes_by_either() {
    for by_first in [false, true].repeat(10) {
        let (out, back) = (dataspace::<u8>(geometry()), dataspace::<u8>(geometry()));
        let attached = || [&out, &back].map(|dataspace| dataspace.attach(Window::WHOLE).unwrap());
        let mut end = Duplex::<u8, u8>::first(attached(), [geometry(); 2]).unwrap();
        let hang_up = if by_first { end.sink.hang_up() } else { end.source.hang_up() };
        end.sink = end.sink.with_wait_policy(WaitPolicy::Block);
        let begin = Instant::now();
        let watcher = std::thread::spawn(move || hang_up.peer_is_gone());
        let waited = refused(libc::ENOSYS, move || end.wait(Deadline::After(LIMIT)));
        assert_eq!(waited, Err(Error::Disconnected));
        assert!(begin.elapsed() < LIMIT / 2, "it was its deadline that ended it");
        watcher.join().unwrap();
    }
}

/// It sleeps on the bell alone, which a free does not ring.
#[test]
fn who_waits_for_one_stream_sees_a_free_before_its_deadline() {
    let dataspace = dataspace::<u8>(geometry());
    let attached = dataspace.capability().attach(Window::WHOLE).unwrap();
    let memory = dataspace.attach(Window::WHOLE).unwrap();
    let mut sink = Sink::<u8>::new(attached, geometry()).unwrap().with_wait_policy(WaitPolicy::Block);
    let begin = Instant::now();
    let freeing = std::thread::spawn(move || {
        // The sink's line, and the flag by which it says that it sleeps.
        let attention = memory.atomic_u32(2 * 128).unwrap();
        while attention.load(std::sync::atomic::Ordering::Acquire) & 4 == 0 {
            std::thread::yield_now();
        }
        drop(dataspace);
    });
    assert_eq!(refused(libc::ENOSYS, move || sink.get(Deadline::After(LIMIT)).map(drop)), Err(REVOKED));
    assert!(begin.elapsed() < LIMIT / 2, "it was its deadline that ended it");
    freeing.join().unwrap();
}
