//! The serving side: G8, G10.

use crate::{Place, Processes};
use portcullis_ipc::{Deadline, Error, Limits, MsgBuf, Refusal, Server, WaitPolicy};
use portcullis_tests::host::{Host, patient};
use portcullis_tests::remote::{Remote, request};
use portcullis_tests::resources::eventually;
use portcullis_tests::service::{Op, bytes};
use std::time::Duration;

const NEVER: Duration = Duration::ZERO;

pub(crate) fn g8_a_server_replies_and_waits_in_one_step<P: Place>() -> Result<(), Error> {
    // The loop of the peer is `reply_and_wait`: one caller after the other gets its own answer.
    let host = P::start()?;
    let before = host.root.report()?.requests;
    for number in 0..1000 {
        assert_eq!(host.root.numbers(Op::Echo, &[number], &[])?, [number]);
    }
    assert_eq!(host.root.report()?.requests, before + 1001);
    Ok(())
}

pub(crate) fn g8_many_clients_are_served<P: Place>() -> Result<(), Error> {
    const CLIENTS: u64 = 6;
    let host = P::start()?;
    // Each is a client of its own, with its own way to the server, and calls while the others do.
    let clients = (0..CLIENTS)
        .map(|_| {
            let client = Processes::start()?;
            let number = client.root.keep(&host.root)?;
            Ok((client, number))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    for round in 0..50 {
        for (client, number) in &clients {
            client.root.call_in_background(*number, Op::Work, NEVER)?;
            let echoed = client.root.call_kept(*number, Op::Echo, NEVER, &[round, *number])?;
            assert_eq!(echoed.words(), [round, *number]);
        }
        for (client, _) in &clients {
            assert!(client.root.join()?.result.is_ok());
        }
    }
    let report = host.root.report()?;
    assert_eq!(report.requests, CLIENTS * 50 * 2 + 1);
    assert!(report.channels > CLIENTS, "every client has its own channel");
    Ok(())
}

pub(crate) fn g8_the_reply_comes_out_of_a_second_buffer<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let mut send = request(Op::TwoBuffers, &[], &[])?;
    send.write(b"in the first buffer")?;
    let mut receive = MsgBuf::new();
    host.root.0.call(&send, &mut receive)?;
    assert_eq!(receive.data(), b"out of the second buffer");
    let first = host.root.ask(Op::FirstBuffer, &[], &[])?;
    assert_eq!(first.data(), b"in the first buffer", "which the reply left alone");
    Ok(())
}

pub(crate) fn a_server_that_ends_tells_its_callers<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let root = host.root.clone();
    let caller = std::thread::spawn(move || root.ask_until(Deadline::Never, Op::Hold, &[]).map(drop));
    assert!(eventually(|| host.root.report().is_ok_and(|report| report.held == 1)));
    host.root.ask(Op::Stop, &[], &[])?;
    assert_eq!(caller.join().expect("the caller does not panic"), Err(Error::Disconnected));
    assert!(eventually(|| host.root.name() == Err(Error::Disconnected)));
    Ok(())
}

pub(crate) fn a_call_that_is_not_carried_out_says_why<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let (mut send, mut receive) = (request(Op::Echo, &[1], &[])?, request(Op::Echo, &[2], &[])?);
    send.set_method(u32::MAX, 7);
    let result = host.root.0.call(&send, &mut receive);
    assert_eq!(result, Err(Error::Refused(Refusal::UnknownMethod)));
    assert!(receive.data().is_empty(), "nothing of the request or of the old content");
    host.root.name().map(drop)
}

pub(crate) fn g10_two_clients_are_the_same_to_the_server<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let object = host.root.new_object()?;
    let clients = [Processes::start()?, Processes::start()?];
    let seen = clients
        .iter()
        .map(|client| {
            let number = client.root.keep(&object)?;
            let seen = client.root.call_kept(number, Op::Seen, NEVER, &[1, 2, 3])?;
            Ok(seen.result.expect("the object answers"))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let ours = object.ask(Op::Seen, &[1, 2, 3], &[])?;
    assert_eq!(seen, [ours.data(), ours.data()], "badge, caller and message: all that a server is handed");
    // Not that it would see nothing at all: another object is another badge.
    let other = host.root.new_object()?.ask(Op::Seen, &[1, 2, 3], &[])?;
    assert_ne!(other.data(), ours.data());
    Ok(())
}

pub(crate) fn more_threads_than_lanes_call_through_one_channel<P: Place>() -> Result<(), Error> {
    const THREADS: u64 = 40;
    const CALLS: u64 = 100;
    let host = P::start()?;
    let before = host.root.report()?;
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let root = host.root.clone();
            std::thread::spawn(move || {
                (0..CALLS).try_for_each(|call| {
                    let sent = [thread, call, thread ^ call];
                    assert_eq!(root.numbers(Op::Echo, &sent, &[])?, sent, "no answer is somebody else's");
                    Ok::<_, Error>(())
                })
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no thread panics")?;
    }
    let after = host.root.report()?;
    assert_eq!(after.requests, before.requests + THREADS * CALLS + 1);
    assert_eq!((after.channels, after.rows), (before.channels, before.rows), "all of it in one channel");
    Ok(())
}

/// `reply` and `wait` as two steps, with the server in this very test and its client in a process.
#[test]
fn g8_reply_and_wait_are_two_steps_as_well() -> Result<(), Error> {
    let _watchdog = portcullis_tests::watchdog::Watchdog::start(crate::LIMIT);
    let mut server = Server::new(&patient(WaitPolicy::Adaptive)?)?;
    let client = Host::process(env!("CARGO_BIN_EXE_peer"), Limits::default())?;
    let number = client.root.keep(&Remote(server.capability()))?;
    client.root.call_in_background(number, Op::Echo, NEVER)?;
    client.root.call_in_background(number, Op::Echo, NEVER)?;
    let (mut message, mut answer) = (MsgBuf::new(), MsgBuf::new());
    let first = server.wait(&mut message, Deadline::Never)?.caller;
    let second = server.wait(&mut message, Deadline::Never)?.caller;
    answer.write(&bytes(&[1]))?;
    server.reply(second, &answer)?;
    server.reply(first, &answer)?;
    assert_eq!(client.root.join()?.words(), [1]);
    assert_eq!(client.root.join()?.words(), [1]);
    Ok(())
}
