//! Terminals: bytes by buffers, lengths by calls, news by signals.

use super::COMPONENT;
use portcullis_component::{Env, Error};
use portcullis_entrypoint::SignalReceiver;
use portcullis_ipc::Deadline;
use portcullis_rpc as rpc;
use portcullis_sessions::terminal::{Size, Terminal, TerminalAsync, TerminalConnection};
use portcullis_shm::Window;
use portcullis_tests::executor::block_on;
use portcullis_tests::resources::eventually;
use portcullis_tests::tree::{EACH, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The test's own code, beside a terminal; afterwards nothing of it is left there.
fn with_terminal(code: impl FnOnce(&Env) + Send + 'static) {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    let tree = Tree::new();
    tree.start(COMPONENT, "terminal", "terminal", EACH);
    tree.drive(code);
    tree.until(|host| host.sessions() == 0);
    assert_eq!(tree.host.quota("terminal"), Some(EACH));
}

fn both_ends(env: &Env) -> (TerminalConnection, TerminalConnection) {
    let open = |label| TerminalConnection::new(env, label).expect("it is served");
    (open("a"), open("b"))
}

#[test]
fn scenario_25_terminal_crosslink_4097_bytes_pass_through_smaller_buffers() {
    with_terminal(|env| {
        let (mut writer, mut reader) = both_ends(env);
        assert!(matches!(TerminalConnection::new(env, "c").map(drop), Err(Error::ServiceDenied { .. })));
        for length in [4097_u32, 4097 * 3] {
            let bytes: Vec<u8> = (0..length).map(|byte| (byte % 253).to_le_bytes()[0]).collect();
            let sent = bytes.clone();
            let writing = std::thread::spawn(move || {
                writer.write_all(&sent).expect("the other end reads");
                writer
            });
            let mut received = Vec::new();
            while received.len() < bytes.len() {
                let some = reader.read_some().expect("the other end writes");
                assert!(some.len() <= 4096);
                received.extend(some);
            }
            assert_eq!(received, bytes);
            writer = writing.join().expect("it does not panic");
        }
        // Who waits for the other end learns that it is gone.
        drop(writer);
        assert_eq!(reader.read_some(), Ok(Vec::new()));
        assert!(eventually(|| TerminalConnection::new(env, "c").is_ok()), "its place is free");
    });
}

#[test]
fn g33_a_terminal_signals_input_and_size_and_calls_say_what() {
    with_terminal(|env| {
        let (mut left, mut right) = both_ends(env);
        let mut receiver = SignalReceiver::new(env.pd()).expect("there are descriptors");
        let (of_input, input) = receiver.manage().expect("there is room");
        let (of_size, size) = receiver.manage().expect("there is room");
        let patience = Deadline::After(Duration::from_secs(10));

        // There is something already; then there is more.
        left.write_all(b"one").expect("there is room");
        right.read_signal(input).expect("it is noted");
        assert_eq!(receiver.wait(patience), Ok(of_input));
        assert_eq!((right.available(), right.read_some().as_deref()), (Ok(3), Ok(&b"one"[..])));
        left.write_all(b"two").expect("there is room");
        assert_eq!(receiver.wait(patience), Ok(of_input));
        assert_eq!((right.available(), right.read_some().as_deref()), (Ok(3), Ok(&b"two"[..])));

        right.size_signal(size).expect("it is noted");
        assert_eq!(right.size(), Ok(Size { columns: 80, lines: 25 }));
        assert!(TerminalConnection::new(env, "resize").is_err());
        assert_eq!(receiver.wait(patience), Ok(of_size));
        assert_eq!(right.size(), Ok(Size { columns: 132, lines: 50 }));
    });
}

/// Who says more than there is gets an error; who writes on while the server copies gets his own garbage through, and not a byte more
/// than he said.
#[test]
fn attack_10_a_terminal_takes_no_more_than_is_there_and_what_it_took_stays() {
    with_terminal(|env| {
        let (mut left, mut right) = both_ends(env);
        for length in [4097, u32::MAX] {
            let answer = left.write(length).get();
            assert!(matches!(answer, Err(Error::Memory { .. })), "{answer:?}");
        }
        let buffers = left.buffers().expect("it answers");
        let buffer = buffers.output.attach(Window::WHOLE).expect("it is a dataspace");
        buffer.copy_from(0, b"honest").expect("it has room");
        assert_eq!(left.write(6).get(), Ok(6));
        buffer.copy_from(0, b"forged").expect("it has room");
        assert_eq!(right.read_some().as_deref(), Ok(&b"honest"[..]));

        // Of two that wait to write in one session one takes the place of the other, in whatever order the server sees them.
        buffer.copy_from(0, &[7; 4096]).expect("it has room");
        assert_eq!(left.write(4096).get(), Ok(4096));
        let mut calls = [Box::pin(left.write_async(1000)), Box::pin(left.write_async(1000))];
        let mut context = Context::from_waker(Waker::noop());
        let replaced = loop {
            let answers = calls.iter_mut().map(|call| call.as_mut().poll(&mut context)).enumerate();
            if let Some((call, Poll::Ready(answer))) =
                answers.into_iter().find(|(_, answer)| answer.is_ready())
            {
                assert_eq!(answer, Err(Error::Rpc(rpc::Error::Abandoned)));
                break call;
            }
            std::thread::yield_now();
        };
        let [first, second] = calls;
        assert_eq!(right.read_some().map(|bytes| bytes.len()), Ok(4096));
        assert_eq!(block_on(if replaced == 0 { second } else { first }), Ok(1000));
        assert_eq!(right.read_some().map(|bytes| bytes.len()), Ok(1000));
    });
}

/// Who waits for a human has more patience than a call: it asks again, and has lost nothing.
#[test]
fn a_read_that_nobody_waits_for_any_more_loses_nothing() {
    with_terminal(|env| {
        let (mut left, mut right) = both_ends(env);
        let impatient = (*right).clone().with_deadline(Deadline::After(Duration::from_millis(5)));
        for _ in 0..3 {
            let answer = impatient.clone().read(0).get();
            assert_eq!(answer, Err(Error::Rpc(rpc::Error::DeadlineExceeded)));
        }
        // The server answers a call that is over.
        left.write_all(b"typed").expect("there is room");
        assert_eq!(right.available(), Ok(5));
        assert_eq!(right.read_some().as_deref(), Ok(&b"typed"[..]));
        // Positions that were never read, and those that are gone, harm nobody but who says so.
        left.write_all(b"more").expect("there is room");
        assert_eq!(((*right).clone().available(u64::MAX), right.available()), (Ok(0), Ok(4)));
        assert_eq!(right.read_some().as_deref(), Ok(&b"more"[..]));
        assert_eq!(right.available(), Ok(0));
    });
}
