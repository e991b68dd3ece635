//! A deadline is met whatever comes that is not waited for.

use super::server;
use crate::capability::Capability;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::pd::{Pd, PdOptions};
use crate::server::{Event, Limits};
use crate::sys::socket;
use crate::wait_policy::WaitPolicy;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What may come before the second look at the clock (with the first the time begins), and what may be counted late.
const MOST: u32 = 2 * 64 + 2;

const NOW: Deadline = Deadline::After(Duration::ZERO);

#[test]
fn a_flood_of_refused_calls_outlasts_no_deadline() {
    const CALLS: u32 = 20_000;
    let mut server = server(WaitPolicy::Spin, Limits::default());
    let (badge, _) = server.mint().unwrap();
    let (ours, theirs) = socket::pair().unwrap();
    server.adopt(PeerDescriptor::new(&server.pd, theirs), badge, None).unwrap();
    server.dissolve(badge);
    let refused = Arc::new(AtomicU32::new(0));
    let count = refused.clone();
    let client = std::thread::spawn(move || {
        let pd = Pd::with(PdOptions { wait: WaitPolicy::Spin, ..PdOptions::default() }).unwrap();
        let dead = Capability::from_portal(&pd, PeerDescriptor::new(&pd, ours), None);
        for _ in 0..CALLS {
            let result = dead.call_with(&MsgBuf::new(), &mut MsgBuf::new(), Deadline::Never);
            assert_eq!(result, Err(Error::InvalidCapability));
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut most = 0;
    while !client.is_finished() {
        let before = refused.load(Ordering::Relaxed);
        assert_eq!(server.next(&mut MsgBuf::new(), NOW).map(drop), Err(Error::DeadlineExceeded));
        most = most.max(refused.load(Ordering::Relaxed) - before);
    }
    client.join().unwrap();
    assert_eq!(refused.load(Ordering::Relaxed), CALLS);
    assert!(most <= MOST, "{most} calls were refused after the deadline");
}

#[test]
fn events_that_are_passed_over_outlast_no_deadline() {
    const OBJECTS: u32 = 1_000;
    let mut server = server(WaitPolicy::default(), Limits::default());
    for _ in 0..OBJECTS {
        drop(server.mint_counted().unwrap());
    }
    assert_eq!(server.wait(&mut MsgBuf::new(), NOW).map(drop), Err(Error::DeadlineExceeded));
    let mut left = 0;
    while let Some(event) = server.try_next(&mut MsgBuf::new()).unwrap() {
        assert!(matches!(event, Event::Unreferenced(_)));
        left += 1;
    }
    assert!(OBJECTS - left <= MOST, "{} events were passed over after the deadline", OBJECTS - left);
}
