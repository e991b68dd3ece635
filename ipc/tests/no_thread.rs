//! A process that has no room for another thread. A program of its own: the limit is that of all its tests.

use portcullis_ipc::{Deadline, Error, MsgBuf, Pd, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

/// Less than a thread's stack.
const ROOM: u64 = 1 << 20;

#[test]
fn a_server_waits_though_no_thread_can_be_started() {
    let statistics = std::fs::read_to_string("/proc/self/statm").expect("the system tells");
    let pages = statistics.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    let used = pages.expect("the first number is that of all pages") * 4096;
    let limit = Rlimit { current: Some(used + ROOM), ..getrlimit(Resource::As) };
    setrlimit(Resource::As, limit).expect("a limit may be lowered");
    assert!(std::thread::Builder::new().spawn(|| ()).is_err(), "there is room for a thread");

    let mut server = Server::new(&Pd::new().expect("no thread is needed")).expect("nor here");
    let soon = Deadline::After(Duration::from_millis(1));
    assert_eq!(server.next(&mut MsgBuf::new(), soon).map(drop), Err(Error::DeadlineExceeded));
}
