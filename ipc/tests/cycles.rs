//! Who only seems to wait, and whose call was begun: neither is told of a circle.

use portcullis_ipc::{Capability, Deadline, Error, MsgBuf, Pd, PdOptions, Server, WaitPolicy};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const LONG: Deadline = Deadline::After(Duration::from_secs(30));
const ROUNDS: usize = 5_000;

/// A domain that sleeps as soon as it waits.
fn sleepy() -> Result<Pd, Error> {
    Pd::with(PdOptions { deadline: LONG, wait: WaitPolicy::Block, ..PdOptions::default() })
}

/// Calls with a capability as the argument.
fn call(callee: &Capability, argument: &Capability) -> Result<(), Error> {
    let mut send = MsgBuf::new();
    send.push(argument.clone())?;
    callee.call_with(&send, &mut MsgBuf::new(), LONG)
}

/// An entrypoint that calls what it is handed, and then answers.
fn start_caller() -> Result<(Capability, std::thread::JoinHandle<Result<(), Error>>), Error> {
    let (to_us, from_thread) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut server = Server::new(&sleepy()?)?;
        to_us.send(server.capability()).expect("the test waits");
        let mut message = MsgBuf::new();
        loop {
            let request = server.wait(&mut message, LONG)?;
            let Some(callee) = message.take(0) else {
                server.reply(request.caller, &MsgBuf::new())?;
                if message.data() == b"end" {
                    return Ok(());
                }
                continue;
            };
            match callee.call_with(&MsgBuf::new(), &mut MsgBuf::new(), LONG) {
                Ok(()) => server.reply(request.caller, &MsgBuf::new())?,
                Err(error) => server.fail(request.caller, &error)?,
            }
        }
    });
    Ok((from_thread.recv().expect("it starts"), thread))
}

/// Ends the caller.
fn end(a: &Capability, thread: std::thread::JoinHandle<Result<(), Error>>) -> Result<(), Error> {
    let mut end = MsgBuf::new();
    end.write(b"end")?;
    a.call_with(&end, &mut MsgBuf::new(), LONG)?;
    thread.join().expect("it does not panic")
}

/// Calls follow so closely on an answer that its taker has not woken up yet: A waits for B. B answers, and calls A in the next moment, from the handler of another call.
#[test]
fn who_was_answered_waits_no_more() -> Result<(), Error> {
    let (a, thread) = start_caller()?;
    let mut b = Server::new(&sleepy()?)?;
    let (of_b, of_a) = (b.capability(), a.clone());
    let (start, starts) = mpsc::channel();
    let drivers = [
        // Has A call B: once a round, or it would be a circle indeed.
        std::thread::spawn(move || starts.into_iter().try_for_each(|()| call(&of_a, &of_b))),
        // Calls B, for B to have a handler.
        {
            let of_b = b.capability();
            std::thread::spawn(move || {
                (0..ROUNDS).try_for_each(|_| of_b.call_with(&MsgBuf::new(), &mut MsgBuf::new(), LONG))
            })
        },
    ];
    let mut message = MsgBuf::new();
    for _ in 0..ROUNDS {
        start.send(()).expect("the driver waits");
        // One of each, in whatever order they come.
        let first = b.wait(&mut message, LONG)?;
        let second = b.wait(&mut message, LONG)?;
        b.reply(first.caller, &MsgBuf::new())?;
        b.reply(second.caller, &MsgBuf::new())?;
        a.call_with(&MsgBuf::new(), &mut MsgBuf::new(), LONG)?;
    }
    drop(start);
    for driver in drivers {
        driver.join().expect("it does not panic")?;
    }
    end(&a, thread)
}

/// A waits for B, which has begun with the call and answers later. Meanwhile B calls A, from the handlers of other calls: only B
/// is told.
#[test]
fn whose_call_was_begun_is_not_told_that_it_is_not_carried_out() -> Result<(), Error> {
    const ROUNDS: usize = 200;
    /// Longer than A waits before it looks for the second time.
    const WHILE: Duration = Duration::from_millis(1);
    let (a, thread) = start_caller()?;
    let mut b = Server::new(&sleepy()?)?;
    let (of_b, of_a) = (b.capability(), a.clone());
    let driver = std::thread::spawn(move || (0..ROUNDS).try_for_each(|_| call(&of_a, &of_b)));
    let of_b = b.capability();
    let other = std::thread::spawn(move || {
        (0..ROUNDS).try_for_each(|_| of_b.call_with(&MsgBuf::new(), &mut MsgBuf::new(), LONG))
    });
    let mut message = MsgBuf::new();
    for _ in 0..ROUNDS {
        let first = b.wait(&mut message, LONG)?;
        let second = b.wait(&mut message, LONG)?;
        let start = Instant::now();
        while start.elapsed() < WHILE {
            // In the chain of A's own call, or in another one.
            let answer = a.call_with(&MsgBuf::new(), &mut MsgBuf::new(), LONG);
            assert_eq!(answer, Err(Error::CallCycle));
        }
        b.reply(first.caller, &MsgBuf::new())?;
        b.reply(second.caller, &MsgBuf::new())?;
    }
    for driver in [driver, other] {
        driver.join().expect("it does not panic")?;
    }
    end(&a, thread)
}
