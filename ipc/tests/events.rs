//! What a server waits for beside calls, and how a foreign event loop learns of it.

use portcullis_ipc::{Deadline, Error, Event, MsgBuf, Pd, Server};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::sync::mpsc;
use std::time::Duration;

/// Whether the server's descriptor polls readable within that time.
fn readable(server: &Server, time: Duration) -> bool {
    let mut descriptors = [PollFd::new(server, PollFlags::IN)];
    let time = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() };
    rustix::event::poll(&mut descriptors, Some(&time)).expect("a descriptor can be polled") == 1
}

/// A client on a thread of its own, which calls once for each message.
fn client(server: &Server) -> (mpsc::Sender<u8>, std::thread::JoinHandle<Result<Vec<u8>, Error>>) {
    let capability = server.capability();
    let (order, orders) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut answers = Vec::new();
        for order in orders {
            let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
            send.write(&[order])?;
            capability.call_with(&send, &mut receive, Deadline::Never)?;
            answers.extend_from_slice(receive.data());
        }
        Ok(answers)
    });
    (order, thread)
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_foreign_loop_serves_by_the_descriptor_alone() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let (order, thread) = client(&server);
    let mut message = MsgBuf::new();
    for round in 0..100 {
        // Settled: whoever calls from now on rings.
        while let Some(event) = server.try_next(&mut message)? {
            assert!(matches!(event, Event::Woken), "nobody has called");
        }
        order.send(round).expect("the client runs");
        let request = loop {
            assert!(readable(&server, LONG), "the call makes the descriptor readable");
            match server.try_next(&mut message)? {
                Some(Event::Call(request)) => break request,
                Some(other) => panic!("{other:?} instead of a call"),
                None => {}
            }
        };
        server.reply(request.caller, &message)?;
    }
    drop(order);
    // The last answer is on its way: nobody calls any more.
    assert_eq!(thread.join().expect("the client does not panic")?, (0..100).collect::<Vec<u8>>());
    Ok(())
}

#[test]
fn a_settled_server_is_not_readable_until_somebody_rings() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let mut message = MsgBuf::new();
    assert!(server.try_next(&mut message)?.is_none());
    assert!(!readable(&server, Duration::ZERO));
    server.pause();
    assert!(readable(&server, Duration::ZERO), "a server that left off has more to look at");
    assert!(server.try_next(&mut message)?.is_none());
    assert!(!readable(&server, Duration::ZERO));
    Ok(())
}

#[test]
fn a_server_is_woken_once_for_many_wakes_before_it_looks() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let mut message = MsgBuf::new();
    let wakers = [server.waker(), server.waker()];
    for waker in wakers.iter().cycle().take(10) {
        waker.wake();
    }
    assert!(matches!(server.next(&mut message, Deadline::Never)?, Event::Woken));
    let soon = Deadline::After(Duration::from_millis(1));
    assert_eq!(server.next(&mut message, soon).map(drop), Err(Error::DeadlineExceeded));
    wakers[0].wake();
    assert_eq!(server.wait(&mut message, soon).map(drop), Err(Error::DeadlineExceeded), "no call came");
    drop(server);
    wakers[0].wake();
    Ok(())
}

#[test]
fn whoever_wakes_without_end_delays_a_call_by_one_event() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let (order, thread) = client(&server);
    let (waker, mut message) = (server.waker(), MsgBuf::new());
    order.send(1).expect("the client runs");
    let request = loop {
        waker.wake();
        assert!(readable(&server, LONG));
        match server.next(&mut message, Deadline::Never)? {
            Event::Call(request) => break request,
            _ => std::thread::yield_now(),
        }
    };
    server.reply(request.caller, &message)?;
    drop(order);
    assert_eq!(thread.join().expect("the client does not panic")?, [1]);
    Ok(())
}
